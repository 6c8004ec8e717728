"""The questions on a fair comparison: they hold to what adamcore itself computes, and judge reports, not results."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from adamcore.checks import Checker, comparison
from adamcore.experiments import PairedRatio, paired_ratio, sensitivity

SOURCE = Path(__file__).parents[2] / "book" / "assignments" / "sources" / "comparison.ipynb"


@pytest.fixture
def check():
    return Checker("comparison", "ab123")


@pytest.mark.parametrize("n", [2, 3, 7, 40])
def test_pairs_are_those_of_the_experiments(rng, n):
    a, b = np.exp(rng.normal(size=(2, n)))
    expected = paired_ratio(a, b)
    np.testing.assert_allclose(comparison.paired(a, b), (expected.ratio, expected.low, expected.high), rtol=1e-12)


def test_verdicts_are_those_of_the_experiments(rng):
    seen = set()
    for _ in range(500):
        low, ratio, high = np.sort(np.exp(rng.normal(scale=0.05, size=3)))
        seen.add(comparison.verdict(ratio, low, high))
        assert comparison.verdict(ratio, low, high) == PairedRatio(ratio, low, high, 3).verdict
    assert seen == set(comparison.WORDS)


def test_the_edge_and_the_width_fit_those_of_the_experiments(rng):
    for _ in range(50):
        alphas, costs = comparison.grid(0.001, 10.0, 2), np.exp(rng.normal(size=9))
        costs[rng.integers(9)] = np.inf
        expected = sensitivity(alphas, costs, tolerance=0.5)
        assert comparison.on_the_edge(alphas, costs) == expected.edge
        # Between step sizes, sensitivity interpolates; the question walks from one to the next.
        width = comparison.decades(alphas, costs, 1.5)
        assert width <= expected.decades + 1e-9 < width + 1


def test_the_flaws_of_a_study_are_found_one_way_only():
    for number in range(200):
        study = Checker("comparison", f"student {number}").data("4.5")
        found = comparison._found(study)
        assert len(set(found)) == 3
        settings = sorted(comparison.budget(one)[0] for one in study.values())
        assert settings[-1] > settings[-2]
        edges, lucky = [], []
        for name, one in study.items():
            means = np.exp(np.log(one["costs"]).mean(axis=1))
            if comparison.on_the_edge(np.array(one["search"]["alpha"]), means):
                edges.append(name)
            best = one["costs"][means.argmin()]
            if abs(one["reported"] - means.min()) > 0.001:
                lucky.append(name)
                assert one["reported"] == best.min()
        assert (edges, lucky) == ([found[1]], [found[2]])


DESIGN = {
    "Nesterov": (0.001, 10, 2),
    "AdaGrad": (0.001, 10, 2),
    "RMSProp": (0.0001, 1, 2),
    "Adam": (0.0001, 1, 2),
}
PREDICTION = {"first": "Adam", "second": "AdaGrad", "verdict": "similar"}


def test_a_design_is_accepted(check):
    assert check("4.9", DESIGN, PREDICTION)
    assert check("4.9", {name: list(line) for name, line in DESIGN.items()}, PREDICTION)
    assert check("4.9", dict.fromkeys(DESIGN, (0.0003, 3, 1)), PREDICTION)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Adam": (0.0001, 10, 2)}, "budgets are not equal. Settings: Nesterov 9, AdaGrad 9, RMSProp 9, Adam 11"),
        ({"Adam": (0.0001, 1)}, "Adam: three numbers are needed"),
        ({"Adam": (..., ..., ...)}, "Adam: three numbers are needed"),
        ({"Adam": (1, 0.0001, 2)}, "Adam: low has to be positive and below high"),
        ({"Adam": (0, 1, 2)}, "low has to be positive"),
        ({"Adam": (0.0001, 1, 1.5)}, "per_decade has to be a whole number"),
        ({"Adam": (0.0001, 0.5, 2)}, "there are 7.40 steps"),
        ({"SGD": (0.001, 10, 2)}, "a dict with the keys Nesterov, AdaGrad, RMSProp, Adam"),
        (dict.fromkeys(DESIGN, (0.001, 1, 1)), "Only 4 settings each"),
        (
            dict.fromkeys(DESIGN, (0.001, 10, 3)),
            "This costs 780 passes over the training images, and the budget is 600",
        ),
    ],
)
def test_a_design_that_is_not_fair_is_refused(check, change, words):
    report = check("4.9", DESIGN | change, PREDICTION)
    assert not report
    assert words in str(report)


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        ("similar", "has to be a dict"),
        ({"first": "Adam", "second": "AdaGrad"}, "with the keys first, second, verdict"),
        (PREDICTION | {"second": "Adam"}, "two different contenders"),
        (PREDICTION | {"first": "SGD"}, "two different contenders"),
        (PREDICTION | {"verdict": "faster"}, "one of lower, higher, similar, inconclusive"),
        (PREDICTION | {"first": ...}, "two different contenders"),
        (PREDICTION | {"first": [], "verdict": []}, "two different contenders"),
    ],
)
def test_a_prediction_has_to_say_something(check, prediction, words):
    assert words in str(check("4.9", DESIGN, prediction))


@pytest.fixture
def results(rng):
    """Runs as the given loop records them, in which validation and test choose differently."""
    results = {}
    for name, (low, high, per_decade) in DESIGN.items():
        seed = rng.normal(scale=0.2, size=3)
        valley = 0.1 * np.abs(np.arange(9) - 4)[:, None]
        costs = np.exp(-1 + valley + seed + rng.normal(scale=0.01, size=(9, 3)))
        test = 1.1 * costs * np.exp(rng.normal(scale=0.01, size=(9, 3)))
        costs[3, 0] = test[5, 1] = 0.9 * costs[4].min()  # a single lucky run each
        test[2] = 0.95 * test[4]
        results[name] = {"alphas": comparison.grid(low, high, per_decade), "validation": costs, "test": test}
    return results


def findings(a, b, **claims):
    ratio, low, high = comparison.paired(a, b)
    return {"ratio": ratio, "low": low, "high": high, "verdict": comparison.verdict(ratio, low, high)} | claims


def right(results, **claims):
    pair = [results[PREDICTION[key]] for key in ("first", "second")]
    return findings(*(comparison.choose_and_report(one["validation"], one["test"])[1] for one in pair), **claims)


def test_findings_that_follow_from_the_runs_are_right_whatever_they_are(check, results):
    found = right(results)
    assert check("4.11", PREDICTION, results, found)
    rounded = {key: round(value, 3) if key != "verdict" else value for key, value in found.items()}
    assert check("4.11", PREDICTION, results, rounded)
    surprised = PREDICTION | {"verdict": "lower" if found["verdict"] != "lower" else "higher"}
    assert check("4.11", surprised, results, found)
    lists = {name: {key: part.tolist() for key, part in one.items()} for name, one in results.items()}
    assert check("4.11", PREDICTION, json.loads(json.dumps(lists)), found)


def test_findings_that_do_not_follow_are_told_why(check, results):
    a, b = (results[PREDICTION[key]] for key in ("first", "second"))
    best = {
        key: [one[key][comparison.best_setting(one["validation"])] for one in (a, b)]
        for key in ("test", "validation")
    }
    by_test = [one["test"][comparison.best_setting(one["test"])] for one in (a, b)]
    each = [comparison._each_its_own(one["validation"], one["test"])[1] for one in (a, b)]
    ratio, low, high = comparison._unpaired(*best["test"])
    d = np.log(best["test"][0] / best["test"][1])
    half = 1.96 * d.std(ddof=1) / np.sqrt(3)
    words = [
        (findings(*best["test"][::-1]), "This is the second contender over the first"),
        (findings(*best["validation"]), "These are the validation costs"),
        (findings(*by_test), "chosen by their test costs"),
        (findings(*each), "Each seed got a setting of its own"),
        (right(results, ratio=ratio, low=low, high=high), "two independent samples"),
        (
            right(results, low=np.exp(d.mean() - half), high=np.exp(d.mean() + half)),
            "1.96 is for a spread that is known",
        ),
        (right(results, high=2.0), "The interval does not follow from your runs"),
        (right(results, ratio=2.0), "The ratio does not follow from your runs"),
        (right(results, verdict="higher"), "they do not say 'higher'"),
        (right(results, verdict="better"), "a verdict: lower, higher"),
        (right(results, ratio="0.9"), "numbers ratio, low, high"),
        ("similar", "numbers ratio, low, high"),
        ({"ratio": 1.0}, "numbers ratio, low, high"),
    ]
    for claim, message in words:
        report = check("4.11", PREDICTION, results, claim)
        assert not report
        assert message in str(report)


def test_a_best_value_on_an_edge_is_no_basis_for_findings(check, results):
    rows = {"AdaGrad": slice(4, 9)}  # from its best on; the others have theirs in the middle
    ends = {
        name: {key: part[rows.get(name, slice(2, 7))] for key, part in one.items()} for name, one in results.items()
    }
    report = check("4.11", PREDICTION, ends, right(ends))
    assert "The best step size of AdaGrad, 0.1, is the smallest of its grid" in str(report)
    ends["AdaGrad"] = {key: part[0:5] for key, part in results["AdaGrad"].items()}
    assert "AdaGrad, 0.1, is the largest of its grid" in str(check("4.11", PREDICTION, ends, right(ends)))
    for key in ("validation", "test"):
        ends["AdaGrad"][key] = ends["AdaGrad"][key][[4, 3, 2, 1, 0]]
    assert "AdaGrad, 0.001, is the smallest" in str(check("4.11", PREDICTION, ends, right(ends)))
    other = PREDICTION | {"second": "RMSProp"}
    a, b = (comparison.choose_and_report(ends[n]["validation"], ends[n]["test"])[1] for n in ("Adam", "RMSProp"))
    assert check("4.11", other, ends, findings(a, b)), "the grid of a contender that is not compared does not matter"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda results: results.pop("Adam"), "keys Nesterov, AdaGrad, RMSProp, Adam"),
        (lambda results: results["Adam"].pop("test"), "Adam: alphas, validation and test are needed"),
        (lambda results: results.update(Adam=3), "Adam: alphas, validation and test are needed"),
        (lambda results: results["Adam"].update(test=np.ones((9, 2))), "of the shape (settings, seeds)"),
        (lambda results: results["Adam"].update(alphas=np.ones(8)), "with one alpha a setting"),
        (lambda results: results["Adam"].update(test=-np.ones((9, 3))), "have to be positive"),
        (lambda results: results["Adam"].update(validation=np.full((9, 3), np.nan)), "in every setting a run failed"),
        (
            lambda results: results.update(Adam={key: part[:8] for key, part in results["Adam"].items()}),
            "not get the same number of runs: Nesterov 9 x 3, AdaGrad 9 x 3, RMSProp 9 x 3, Adam 8 x 3",
        ),
        (
            lambda results: results.update(
                {name: {k: p[..., :2] if p.ndim == 2 else p for k, p in one.items()} for name, one in results.items()}
            ),
            "Too few runs: 9 settings and 2 seeds",
        ),
    ],
)
def test_runs_that_are_no_fair_comparison_are_refused(check, results, edit, words):
    found = right(results)
    edit(results)
    report = check("4.11", PREDICTION, results, found)
    assert not report
    assert words in str(report)


def test_a_tuned_setting_that_failed_on_the_test_images_leaves_it_open(check, results):
    results["Adam"]["test"][4, 0] = np.inf
    with np.errstate(invalid="ignore"):  # the student's own functions may warn
        found = right(results)
    assert found["verdict"] == "inconclusive"
    assert check("4.11", PREDICTION, results, found)


def test_the_notebook_and_the_checks_have_the_same_numbers():
    text = "\n".join("".join(cell["source"]) for cell in json.loads(SOURCE.read_text(encoding="utf-8"))["cells"])
    assert f"EPOCHS, SEEDS = {comparison.EPOCHS}, {comparison.SEEDS}" in text
    assert f"a budget of {comparison.PASSES} passes" in text
    (rules,) = re.findall(r"^RULES = (\{.*\})$", text, re.MULTILINE)
    assert re.findall(r'"(\w+)"', rules) == list(comparison.CONTENDERS)


def test_a_verdict_on_the_reciprocal_is_told_even_where_it_divides_by_zero(check):
    def verdict(ratio, low, high):
        return comparison.verdict(1 / ratio, 1 / high, 1 / low)

    assert check("4.7", verdict).mistake == "words swapped"
    report = check("4.7", verdict, hidden=True)
    assert report.mistake == "words swapped"
    assert "raised ZeroDivisionError" in str(report)


@pytest.mark.parametrize("bound", ["lower", "higher", "low", "high"])
def test_no_bound_of_a_verdict_may_be_a_little_off(check, bound):
    off = {"lower": 1 / 1.05, "higher": 1.05, "low": 0.95, "high": 1 / 0.95}[bound]
    assert not check("4.7", comparison._with_bounds(**{bound: off}))
    assert check("4.7", comparison._with_bounds())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ratio <= 1 - MARGIN", "ratio < 1 - MARGIN"),
        ("high < 1:", "high <= 1:"),
        ("low > 1:", "low >= 1:"),
        ("high <= 1 + MARGIN", "high < 1 + MARGIN"),
    ],
)
def test_a_bound_that_is_met_exactly_counts_as_the_question_says(check, right, wrong):
    source = inspect.getsource(comparison.verdict)
    assert source.count(right) == 1
    names = {"MARGIN": comparison.MARGIN}
    exec(source.replace(right, wrong), names)
    assert not check("4.7", names["verdict"], hidden=True)
