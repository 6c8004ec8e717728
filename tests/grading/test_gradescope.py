"""Gradescope's zip, unpacked and run as Gradescope does, in another folder than /autograder."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from adamcore.grading import gradescope

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(built, tmp_path_factory):
    root = tmp_path_factory.mktemp("autograder")
    with zipfile.ZipFile(built.package) as archive:
        for entry in archive.infolist():
            path = root / "source" / entry.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))
            path.chmod(entry.external_attr >> 16 & 0o777)
    (root / "results").mkdir()
    (root / "submission").mkdir()
    (root / "run_autograder").write_bytes((root / "source" / "run_autograder").read_bytes())
    return root


def run(root, **files):
    """Hand in these files; what results.json holds."""
    for old in [*(root / "submission").iterdir(), *(root / "results").iterdir()]:
        old.unlink()
    for name, content in files.items():
        (root / "submission" / f"{name}.ipynb").write_text(content)
    environment = os.environ | {
        "AUTOGRADER_ROOT": str(root),
        "AUTOGRADER_PYTHON": sys.executable,
        "PYTHONPATH": str(root / "source"),
    }
    subprocess.run(["bash", str(root / "run_autograder")], cwd=root, env=environment, check=True, capture_output=True)
    return json.loads((root / "results" / "results.json").read_text())


def test_the_zip_holds_what_gradescope_needs_at_its_root(built, root):
    with zipfile.ZipFile(built.package) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    for name in ("assignment.json", "requirements.txt", "pyproject.toml", "README.md", "adamcore/grading/judge.py"):
        assert name in modes
    assert not [name for name in modes if "__pycache__" in name or name.startswith("/") or ".." in name]
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", str(root / "source" / script)], check=True)
    assert "://" not in gradescope.SETUP + gradescope.RUN + gradescope.REQUIREMENTS


def test_the_package_that_runs_is_the_one_in_the_zip(root):
    done = subprocess.run(
        [sys.executable, "-c", "import adamcore; print(adamcore.__file__)"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "source")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(root / "source" / "adamcore" / "__init__.py")


def test_the_solution_gets_full_marks(built, root):
    found = run(root, averages=built.solutions.read_text())
    assert sum(test["score"] for test in found["tests"]) == 22
    assert sum(test["max_score"] for test in found["tests"]) == 22
    assert {test["visibility"] for test in found["tests"]} == {"visible", "after_published"}
    assert "Graded by hand" in found["output"]
    assert found["execution_time"] > 0


def test_a_wrong_submission_loses_what_is_wrong(built, root):
    wrong = built.solutions.read_text().replace("np.log(0.5) / np.log(beta)", "np.log(beta) / np.log(0.5)")
    assert wrong != built.solutions.read_text()
    found = run(root, averages=wrong)
    lost = [test for test in found["tests"] if test["score"] < test["max_score"]]
    assert {test["number"] for test in lost} == {"1.5"}
    assert all("not yet" in test["output"] for test in lost)


@pytest.mark.parametrize(
    ("files", "words"),
    [({}, "there is no notebook"), ({"a": "{}", "b": "{}"}, "there are 2 notebooks"), ({"a": "{"}, "not JSON")],
)
def test_a_submission_without_a_notebook_is_told(root, files, words):
    found = run(root, **files)
    assert words in found["output"]
    assert found.get("score", 0) == 0
    assert not any(test["score"] for test in found.get("tests", ()))


def test_results_are_written_even_if_the_autograder_fails(root):
    path = root / "source" / "assignment.json"
    content = path.read_text()
    try:
        path.write_text("{}")
        found = run(root, a="{}")
    finally:
        path.write_text(content)
    assert found["score"] == 0
    assert "Tell your teacher" in found["output"]
