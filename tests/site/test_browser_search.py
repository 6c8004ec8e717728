"""The search answers first with what explains."""

from urllib.parse import quote

import pytest

pytestmark = pytest.mark.slow

FIRST_ANSWERS = {
    # terms: the chapter that the glossary names
    "bias correction": "book/adam/bias_correction.html",
    "Bias Correction": "book/adam/bias_correction.html",
    "learning rate": "book/adam/step_size.html",
    "learning rates": "book/adam/step_size.html",
    "momentum": "book/foundations/momentum.html",
    "AdaGrad": "book/foundations/adagrad.html",
    "RMSProp": "book/foundations/rmsprop.html",
    "moving average": "book/adam/moments.html#a-moving-average",
    "AdamW": "book/practice/after_adam.html#adamw-the-decay-leaves-the-fraction",
    "AMSGrad": "book/adam/convergence.html#amsgrad",
    "edge of stability": "book/adam/convergence.html",
    # titles and headings
    "algorithm": "book/adam/algorithm.html",
    "scorecard": "book/paper/scorecard.html",
    "playground": "book/adam/playground.html",
    "epsilon": "book/practice/configuration.html#epsilon-a-size-of-gradient",
    "convergence": "book/adam/convergence.html",
    "Nesterov": "book/foundations/momentum.html#nesterov-look-ahead-first",
    "second moment": "book/adam/moments.html",
    "IMDB": "book/paper/imdb_logistic.html",
    # symbols and equations
    "v_hat": "book/adam/algorithm.html#equation-eq-adam-v-hat",
    "beta2": "book/adam/algorithm.html#equation-eq-adam-v",
    "eq-bias-m": "book/adam/bias_correction.html#equation-eq-bias-m",
    "equation (3)": "book/foundations/gradient_descent.html#equation-eq-gd-",
    # names of the package
    "Adam.step": "book/reference/api/optim.html#adamcore.optim.Rule.step",
    "adamcore.optim.AdamW": "book/reference/api/optim.html#adamcore.optim.AdamW",
    "load_mnist": "book/reference/api/data.html#adamcore.data.load_mnist",
}


@pytest.fixture(scope="module")
def answers(browser, address):
    """All results of a query, best first, as addresses."""
    page = browser.new_page()
    page.set_default_timeout(60_000)

    def answers(query):
        page.goto(f"{address}/search.html?q={quote(query)}")
        page.wait_for_function("document.querySelector('.search-summary')?.innerText.includes('finished')")
        links = page.locator("#search-results > ul.search > li > a")
        return [link.removeprefix(f"{address}/") for link in links.evaluate_all("all => all.map(a => a.href)")]

    yield answers
    page.close()


@pytest.mark.parametrize(("query", "first"), FIRST_ANSWERS.items())
def test_what_explains_comes_first(query, first, answers):
    found = answers(query)
    assert found[0].startswith(first), "\n".join(found[:5])


def test_the_glossary_and_the_package_come_after_the_chapter(answers):
    found = answers("momentum")
    glossary = found.index("book/reference/glossary.html#term-momentum")
    package = found.index("book/reference/api/optim.html#adamcore.optim.Momentum")
    assert 0 < glossary < 6
    assert 0 < package < 6


def test_no_answer_comes_twice(answers):
    for query in ("momentum", "epsilon", "scorecard"):
        found = answers(query)
        assert len(found) == len(set(found))


def test_equations_with_a_number_come_in_the_order_of_the_book(answers):
    found = [address for address in answers("equation (2)") if "#equation-" in address][:3]
    chapters = ["foundations/gradient_descent", "foundations/momentum", "foundations/adagrad"]
    assert [address.split(".html")[0] for address in found] == [f"book/{chapter}" for chapter in chapters]


READABLE = {
    r"\(\beta_2\)": "β₂",
    r"\(\hat m_t / (\sqrt{\hat v_t} + \epsilon)\)": "m̂_t / (√(v̂_t) + ε)",
    r"\(\beta_1^{t-i}\,\sqrt{1 - \beta_2}\)": "β₁^(t−i) √(1 − β₂)",
    r"\(\tfrac12 \lVert\theta\rVert^2 \approx 10^{-8}\)": "1/2 ‖θ‖² ≈ 10⁻⁸",
    r"\(n_\text{in} \log\frac{a + b}{2}\)": "n_in log (a + b)/2",
    "computes (7.1)\\[\nm_t = g_t\n\\] where": "computes … where",
    "(a plain one)": "(a plain one)",
}


def test_excerpts_show_formulas_as_letters(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=denominator")
    page.wait_for_function("document.querySelector('#search-results .context')")
    shown = "html => Search.htmlToText(`<div role=main>${html}</div>`, '')"
    for tex, letters in READABLE.items():
        assert page.evaluate(shown, tex) == letters

    # No formula of any page is left as it was.
    left = r"""Promise.all(Search._index.docnames.map(async (name) => {
        const text = Search.htmlToText(await (await fetch(`${name}.html`)).text(), "");
        return text.match(/\\[([].{0,60}/g) ?? [];
    }))"""
    found = [tex for name in page.evaluate(left) for tex in name]
    page.close()
    assert not found, "\n".join(found)
