"""The suspects are guilty of what they are charged with, of nothing else, and the assignment says nothing untrue."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from adamcore.checks import ASSIGNMENTS, Checker, broken

PAIRS = (broken.INNOCENT, *broken.GUILTY)
SUSPECTS = [suspect for pair in PAIRS for suspect in pair]
CONVICTED_BY = {
    "innocent": [],
    "bias correction": ["large", "tiny", "spike"],
    "epsilon": ["tiny"],
    "memory": ["spike"],
    "gradient": ["units", "one unit"],
    "coordinates": ["one unit"],
    "arguments": ["resumed"],
}
HEAD = "def step(theta, m, v, t, g, alpha, beta1, beta2, eps):"
REPAIRED = {  # what the wrong line of each guilty one should be
    "m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta1**t)": "m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)",
    "ratio = np.sqrt((1 - beta2**t) / (1 - beta1**t))": "ratio = np.sqrt(1 - beta2**t) / (1 - beta1**t)",
    "size = np.sqrt(v / (1 - beta2**t) + eps)": "size = np.sqrt(v / (1 - beta2**t)) + eps",
    "size = np.maximum(np.sqrt(v / second), eps)": "size = np.sqrt(v / second) + eps",
    HEAD.replace("beta1, beta2", "beta2, beta1"): HEAD,
    "v = np.maximum(v, (1 - beta2) * g**2 + beta2 * v)": "v = (1 - beta2) * g**2 + beta2 * v",
    "g = np.clip(g, -1, 1)": "pass",
    "g = np.sign(g) * np.log1p(np.abs(g))": "pass",
    "v = beta2 * v + (1 - beta2) * np.mean(g**2)": "v = beta2 * v + (1 - beta2) * g**2",
    "size = np.sqrt(v_hat).max() + eps": "size = np.sqrt(v_hat) + eps",
    "v += (1 - beta2) * (g**2 - v)": "v = v + (1 - beta2) * (g**2 - v)",
    "theta -= alpha * m / (1 - beta1**t) / size": "theta = theta - alpha * m / (1 - beta1**t) / size",
}
NOTEBOOK = Path(__file__).parents[2] / "book" / "assignments" / "sources" / "broken.ipynb"


def cell(name):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    (found,) = ["".join(cell["source"]) for cell in notebook["cells"] if cell["id"] == name]
    return found


@pytest.fixture(scope="module")
def notebook():
    """The notebook's own instruments, with the reference's tests."""
    tests = ("fails_steady", "fails_spike", "fails_scaled", "fails_resumed")
    names = {"np": np, "adams": {"a": broken.adam_step}, **{name: getattr(broken, name) for name in tests}}
    for name in ("record", "interrupted", "experiments"):
        exec(cell(name), names)
    exec(cell("loss").split("curves =")[0], names)
    return names


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: f"{suspect.kind}, line {suspect.line}")
def test_a_suspect_is_convicted_by_the_experiments_of_its_kind(notebook, suspect):
    found = notebook["experiments"](broken.made(suspect.source))
    assert [name for name, convicted in found.items() if convicted] == CONVICTED_BY[suspect.kind]


def test_no_two_kinds_are_convicted_alike():
    assert len({tuple(names) for names in CONVICTED_BY.values()}) == len(CONVICTED_BY) == len(PAIRS)


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: f"{suspect.kind}, line {suspect.line}")
def test_the_line_that_is_named_is_all_that_is_wrong(notebook, suspect):
    lines = suspect.source.splitlines()
    if suspect.line:
        wrong = lines[suspect.line - 1]
        lines[suspect.line - 1] = wrong.replace(wrong.strip(), REPAIRED[wrong.strip()])
    step = broken.made("\n".join(lines))
    assert not any(notebook["experiments"](step).values())
    assert Checker("broken", "ab123")("4.1", step, hidden=True)


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: f"{suspect.kind}, line {suspect.line}")
def test_the_check_of_a_repair_tells_no_verdict_that_it_need_not(suspect):
    report = Checker("broken", "ab123")("4.1", broken.made(suspect.source))
    if suspect.kind == "bias correction":
        assert report.mistake
    else:
        assert not report.mistake


def test_words_and_texts_give_nothing_away():
    kinds = {suspect.kind for suspect in SUSPECTS}
    assert all(suspect.source.count("\n") <= 9 for suspect in SUSPECTS)
    assert all("#" not in suspect.source for suspect in SUSPECTS)
    listed = set(re.findall(r'^\| `"(.+?)"` \|', cell("words"), re.MULTILINE))
    assert kinds < listed
    assert set(broken.NEAR.values()) < listed
    assert all(accused[1] in listed for suspect in broken.INNOCENT for accused in suspect.accused)


def test_the_minutes_add_up():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    sections = sum(int(minutes) for minutes in re.findall(r"^## .*\((\d+) minutes\)$", text, re.MULTILINE))
    assert sections == int(re.search(r"\*\*Time\*\* about (\d+) minutes", text)[1])


def test_students_have_suspects_of_their_own():
    line_ups = [Checker("broken", f"student {i}").data("1.1") for i in range(60)]
    assert len({tuple(line_up.values()) for line_up in line_ups}) == 60
    assert {text for line_up in line_ups for text in line_up.values()} == set(broken.BY_SOURCE)
    for line_up in line_ups:
        assert list(line_up) == list("abcdefg")
        assert {broken.BY_SOURCE[text].kind for text in line_up.values()} == set(CONVICTED_BY)


def test_the_questions_on_suspects_are_about_the_same_seven():
    check = Checker("broken", "ab123")
    assert all(check.data(f"3.{number}") == check.data("1.1") for number in range(1, 8))
    assert check.data("1.1") != Checker("broken", "ab123", term="2027s").data("1.1")
    for number, (_, text) in enumerate(check.data("1.1").items(), start=1):
        assert check(f"3.{number}", list(broken.BY_SOURCE[text].truth), hidden=True)


def test_what_the_assignment_says_of_the_losses():
    at = {suspect: broken.losses(broken.made(suspect.source), 101)[[0, 20, 100]] for suspect in SUSPECTS}
    for seven in itertools.product(*PAIRS):
        assert sum(at[suspect][2] < at[suspect][0] / 20 for suspect in seven) >= 6
        fastest, second = sorted(seven, key=lambda suspect: at[suspect][1])[:2]
        assert fastest.line
        assert at[second][1] > 1.01 * at[fastest][1]  # no processor's last digit decides


def test_the_notebook_measures_as_the_checks_do(notebook):
    rows = np.random.default_rng(0).normal(size=(25, 2))
    for suspect in SUSPECTS:
        step = broken.made(suspect.source)
        np.testing.assert_array_equal(notebook["record"](step, rows), broken.record(step, rows))
        np.testing.assert_array_equal(notebook["losses"](step, 30), broken.losses(step, 30))
        for ours, theirs in zip(notebook["interrupted"](step, rows), broken.interrupted(step, rows, 20), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_loop_that_is_handed_out_has_both_bugs():
    source = cell("q-4-2-solution-0")
    prompt = re.search(r'""" # BEGIN PROMPT\n(.*?)"""  # END PROMPT', source, re.DOTALL)[1].rstrip(" ")
    head, tail = source.split("    # BEGIN SOLUTION NO PROMPT")[0], "    return thetas\n"
    names = {"np": np, "repaired": broken.adam_step}
    exec(head + prompt + tail, names)
    assert Checker("broken", "ab123")("4.2", names["train"]).mistake == "as it was"


def test_the_sample_answer_on_the_cost_is_true():
    made = broken.record(broken.made(broken.GUILTY[1][0].source), np.full((50, 1), 1e-8))
    np.testing.assert_allclose(made, 0.001 * 0.0001, rtol=1e-6)


def test_a_way_without_corrections_by_hand():
    question = ASSIGNMENTS["broken"]["5.1"]
    way = broken.record(broken._as_they_are, np.full((100, 1), 2.0), alpha=1.0, beta2=0.99, eps=0.0).sum()
    assert way == pytest.approx(question.reference(0.9, 0.99), rel=1e-12)
    eps = 1e-6
    g = ASSIGNMENTS["broken"]["5.2"].reference(eps)
    assert g / np.sqrt(g**2 + eps) == pytest.approx(0.5, rel=1e-12)


def test_a_word_that_is_not_in_the_list_is_a_matter_of_form():
    check = Checker("broken", "ab123")
    question = next(name for name, found in ASSIGNMENTS["broken"].items() if getattr(found, "words", ()))
    for word in ("clipping", "arguments ", "Memory"):
        report = check(question, (3, word))
        assert not report
        assert "is none of the words" in str(report)
    assert check(question, (3, "memory")).noted


def test_the_words_are_those_of_the_assignment():
    found = next(found for found in ASSIGNMENTS["broken"].values() if getattr(found, "words", ()))
    path = Path(__file__).parents[2] / "book" / "assignments" / "sources" / "broken.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "words"]
    assert tuple(re.findall(r'\| `"([a-z ]+)"` \|', source)) == found.words


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("expected", "mistake"),
    [
        # As students write them: 1 - beta cancels at t = 1, so both checks by hand of the prompt come out right.
        (lambda t, beta1, beta2: beta1 ** (t - 1) / np.sqrt(beta2 ** (t - 1)), "corrections left out after"),
        (
            lambda t, beta1, beta2: (
                ((1 - beta1) * beta1 ** (t - 1) / (1 - beta1)) / np.sqrt((1 - beta2) * beta2 ** (t - 1) / (1 - beta2))
            ),
            "corrections left out after",
        ),
        (
            lambda t, beta1, beta2: (1 - beta1) * beta1 ** (t - 1) / np.sqrt((1 - beta2) * beta2 ** (t - 1)),
            "not corrected",
        ),
    ],
)
def test_a_spike_without_the_correction_is_not_taken_for_a_question_of_digits(expected, mistake, hidden):
    def fails_spike(steps, alpha, beta1, beta2):
        t = np.arange(1.0, len(steps) + 1)
        return not np.allclose(steps, alpha * expected(t, beta1, beta2), rtol=1e-6, atol=0)

    report = Checker("broken", "ab123")("2.2", fails_spike, hidden=hidden)
    assert report.mistake.startswith(mistake)
    assert broken.EXACT not in str(report)


def test_exact_equality_is_still_told_as_such():
    report = Checker("broken", "ab123")(
        "2.2", lambda steps, *rest: not np.array_equal(steps, broken.spike(len(steps), *rest))
    )
    assert broken.EXACT in str(report)


@pytest.mark.parametrize("student", ["ab123", "someone else", "学生"])
def test_every_wrong_verdict_gets_a_hint(student):
    check = Checker("broken", student)
    for number, text in enumerate(check.data("1.1").values(), start=1):
        suspect = broken.BY_SOURCE[text]
        for line, word in itertools.product(range(text.count("\n") + 1), broken.WORDS):
            if (line, word) == suspect.truth:
                continue
            told = check(f"3.{number}", (line, word), hidden=True).mistake
            if bool(line) != (word != "innocent"):  # guilty without a line, or innocent with one
                wanted = {"another kind", "counted from zero"}
            elif bool(line) != bool(suspect.line):
                wanted = {"taken in", "another line"} if not suspect.line else {"taken in"}
            elif line == suspect.line:
                wanted = {"another kind"}
            else:
                wanted = {"another line", "counted from zero"} if word == suspect.kind else {"another line"}
            assert told in wanted, (suspect.truth, line, word)


def test_who_accuses_the_lines_of_m_and_v_for_swapped_betas_is_led_further_up():
    (swapped,) = [suspect for suspect in broken.GUILTY[2] if suspect.line == 1]
    student = next(
        name for name in map(str, range(50)) if swapped.source in Checker("broken", name).data("1.1").values()
    )
    check = Checker("broken", student)
    number = 1 + list(check.data("1.1").values()).index(swapped.source)
    for line in (2, 3):
        assert "reads as it should, from where do the values" in str(
            check(f"3.{number}", (line, "memory"), hidden=True)
        )
