"""What a page of feedback shows of formulas, of choices, and of the machine that it was made on."""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from adamcore.checks import ALTERNATIVES
from adamcore.grading import build, judge
from adamcore.grading.feedback import page
from adamcore.grading.folder import summary, to_csv
from adamcore.grading.gradescope import to_gradescope
from adamcore.grading.judge import Assignment, Mark, Question, Result, Test, without_paths
from adamcore.grading.sandbox import Limits
from adamcore.grading.tex import to_html
from tests.grading.notebooks import RIGHT, TINY, check, write

SOURCES = sorted((Path(__file__).parents[2] / "book" / "assignments" / "sources").glob("*.ipynb"))
LIMITS = Limits(cell=30, call=10, total=120)


def cells(source):
    return [
        (cell["cell_type"], "".join(cell["source"]))
        for cell in json.loads(source.read_text(encoding="utf-8"))["cells"]
    ]


def rubrics(source):
    """What students are shown of a source in markdown: rubrics and titles."""
    texts = [text for kind, text in cells(source) if kind == "markdown"]
    titles = [build._heading(text) for text in texts if text.startswith("### Question")]
    return titles + [text.split("**Rubric", 1)[1] for text in texts if "**Rubric" in text]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_all_formulas_of_rubrics_and_titles_are_read(source):
    shown = rubrics(source)
    assert len(shown) > 5
    for text in shown:
        assert not re.search(r"[$\\`]", to_html(text)), text


def test_there_are_formulas_in_the_rubrics():
    assert sum(text.count("$") for source in SOURCES for text in rubrics(source)) > 10


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"$1 - \beta^t$", "1 − β<sup>t</sup>"),
        (r"$d_{t-1}^2$", "d<sub>t−1</sub><sup>2</sup>"),
        (r"$\Gamma_t \ge 0$", "Γ<sub>t</sub> ≥ 0"),
        (r"$\hat m_t / (\sqrt{\hat v_t} + \epsilon)$", "m̂<sub>t</sub> / (√(v̂<sub>t</sub>) + ε)"),
        (r"$\sqrt t$ and $\frac{1}{1 - \beta}$", "√t and 1/(1 − β)"),
        (r"$a < b$ & `c < d`", "a &lt; b &amp; <code>c &lt; d</code>"),
        ("from $5 to $6", "from $5 to $6"),
        (r"$\unknown x$, $x_{1$, $x_$, $a}$", r"$\unknown x$, $x_{1$, $x_$, $a}$"),
        (r"$\hat{ab}$ & $a\$", r"$\hat{ab}$ &amp; $a\$"),
        ("$<script>$ <b>", "&lt;script&gt; &lt;b&gt;"),
    ],
)
def test_a_formula_as_a_page_shows_it(text, html):
    assert to_html(text) == html


def test_what_a_student_wrote_stays_as_it_was_written():
    questions = (Question("q1_1", "1.1", 2.0, manual=True, rubric=r"- 2 points: $\beta_1$.", title=r"why $m_0 = 0$"),)
    result = Result("a.ipynb", "tiny", answers={"q1_1": r"Because $\beta_1 < 1$."})
    text = page(result, Assignment("tiny", "sample", "sample", questions))
    assert "2 points: β<sub>1</sub>." in text
    assert "1.1 why m<sub>0</sub> = 0" in text
    assert r"<blockquote>Because $\beta_1 &lt; 1$.</blockquote>" in text


def chosen():
    """An assignment of 20 points: 4 for everybody, then sections 2 and 3 (10), or section 4 (6)."""

    def question(number, points, manual=False):
        name = "q" + number.replace(".", "_")
        return Question(name, number, points, () if manual else (Test("", points),), manual, "r")

    questions = [question("1.1", 4.0), question("2.1", 3.0), question("3.1", 2.0), question("3.2", 5.0, manual=True)]
    questions += [question("4.1", 2.0), question("4.2", 4.0, manual=True)]
    return Assignment("tiny", "sample", "sample", tuple(questions), alternatives=(("2", "3"), ("4",)))


CHOICE = (
    "14 of all 20 points are full marks: section 1 (4) for everybody, then sections 2 and 3 (10) or section 4 (6), "
    "whichever gives more."
)


def test_a_choice_is_told_wherever_points_are():
    assignment = chosen()
    marks = [Mark(question, False, points, points, "words") for question, points in (("q1_1", 4.0), ("q4_1", 2.0))]
    marks.append(Mark("q2_1", False, 3.0, 0.0, "words"))
    result = Result("a.ipynb", "tiny", "sample", "ab1", marks)
    assert (assignment.full, assignment.total, assignment.possible, assignment.choice()) == (14, 20, 9, CHOICE)
    assert (assignment.counted(result), assignment.checked) == (6, 11)
    text = page(result, assignment)
    assert CHOICE in text
    assert "Up to" not in text  # 9 points by hand are not to be had by anybody
    assert "Section 1: 4 of 4 points by checks</li>" in text
    assert "Sections 2 and 3: 0 of 5 points by checks, up to 5 more by hand" in text
    assert "Section 4: 2 of 2 points by checks, up to 4 more by hand" in text
    assert CHOICE in to_gradescope(result, assignment)["output"]
    assert CHOICE in summary([result], {"tiny": assignment})
    assert to_csv([result], {"tiny": assignment}).splitlines()[1].split(",")[-7:-3] == ["6", "9", "9", "14"]


def test_who_solves_every_alternative_gets_full_marks_and_no_more():
    assignment = chosen()
    marks = [Mark(q.name, False, q.points, q.points, "") for q in assignment.questions if not q.manual]
    result = Result("a.ipynb", "tiny", "sample", "ab1", marks)
    assert result.earned == 11
    assert assignment.counted(result) == assignment.possible == 9
    assert "<b>9 of 9 points</b> by checks" in page(result, assignment)
    assert to_gradescope(result, assignment)["score"] == 9
    assert "on average 9.0 of 9 points" in summary([result], {"tiny": assignment})
    assert to_csv([result], {"tiny": assignment}).splitlines()[1].split(",")[-7:-5] == ["9", "9"]


def test_without_a_choice_nothing_is_told_of_one():
    assert (TINY.full, TINY.total, TINY.choice(), TINY.parts()) == (8, 8, "", [])
    result = Result("a.ipynb", "tiny", "sample", "ab1")
    for text in (page(result, TINY), to_gradescope(result, TINY)["output"], summary([result], {"tiny": TINY})):
        assert "full marks:" not in text


def test_a_choice_is_stored_with_the_assignment(tmp_path):
    path = tmp_path / "assignment.json"
    path.write_text(chosen().dump())
    assert Assignment.load(path) == chosen()
    older = json.loads(chosen().dump())
    del older["alternatives"]
    path.write_text(json.dumps(older))
    assert Assignment.load(path).full == 20


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_choice_is_the_one_that_the_assignment_offers(source):
    configs = [build._config(text) for kind, text in cells(source) if text.startswith("# BEGIN QUESTION")]
    questions = tuple(Question(c["name"], c["name"][1:].replace("_", "."), float(c["points"])) for c in configs)
    assignment = Assignment(source.stem, "", "", questions, alternatives=ALTERNATIVES.get(source.stem, ()))
    (title,) = [text for kind, text in cells(source) if "**Points**" in text]
    assert f"**Points** {assignment.total:g}" in title
    if stated := re.search(r"So (\d+) points are full marks", title):
        everybody, *others = assignment.parts()
        assert assignment.full == int(stated[1])
        assert f"{judge.named(everybody)} ({assignment.points(everybody):g} points)" in title
        assert {assignment.points(sections) for sections in others} == {
            float(re.search(r"\((\d+) points each\)", title)[1])
        }
        assert all(sections in {q.section for q in questions} for part in assignment.parts() for sections in part)
    else:
        assert not assignment.alternatives
        assert assignment.full == assignment.total


def test_the_places_of_a_machine_are_not_told():
    numpy, temporary = Path(np.__file__), tempfile.gettempdir()
    for text, told in {
        f"{numpy}:3: RuntimeWarning": "numpy/__init__.py:3: RuntimeWarning",
        f'  File "{json.__file__}", line 1': '  File "json/__init__.py", line 1',
        f"{sys.executable} {sys.prefix}/share": "python python/share",
        f"{Path.home()}/notes, {Path.home()}": "~/notes, ~",
        f"'{temporary}/adamcore-grading-ab_1/data.csv'": "'data.csv'",
        f"in {temporary}/adamcore-grading-ab_1\n": "in .\n",
        f"other{Path.home()} {Path.home()}x {Path.home()}-x": f"other{Path.home()} {Path.home()}x {Path.home()}-x",
        "1 / 2 and /usr/share and C:\\x": "1 / 2 and /usr/share and C:\\x",
    }.items():
        assert without_paths(text).replace(os.sep, "/") == told.replace(os.sep, "/")


PRINTS = """
import os, warnings
import joblib
import matplotlib.pyplot as plt
import numpy as np
from adamcore.experiments.claims import CLAIMS

joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(i) for i in range(3))
plt.plot([1])
plt.show()
plt.close()
print(np.__file__, os.getcwd(), CLAIMS.__class__.__name__)
warnings.warn("mine")
np.array(1)
"""


def test_a_page_shows_what_a_notebook_printed_and_nothing_of_the_grader(tmp_path):
    library = "import numpy as np\nnp.linalg.inv(np.zeros((2, 2)))"
    missing = "import os\nprint(1)\nopen(os.path.join(os.getcwd(), 'data.csv'))"
    answer = "import os\ndef double(x):\n    raise ValueError(os.getcwd() + '/data.csv ' + os.__file__)"
    path = write(tmp_path / "a.ipynb", *RIGHT, PRINTS, library, missing, answer)
    result = judge.judge(path, TINY, LIMITS, check=check)
    assert result.printed.splitlines() == [
        f"{os.path.join('numpy', '__init__.py')} . dict",
        f"<cell {len(RIGHT) + 1}>:12: UserWarning: mine",
        '  warnings.warn("mine")',
        "array(1)",
        "1",
    ]
    assert [error["kind"] for error in result.errors] == ["LinAlgError", "FileNotFoundError"]
    assert 'File "numpy' in result.errors[0]["trace"]
    assert "'data.csv'" in result.errors[1]["text"]
    text = page(result, TINY)
    for place in (sys.prefix, os.getcwd(), str(Path.home()), tempfile.gettempdir(), str(Path(os.__file__).parent)):
        assert place not in text, place
