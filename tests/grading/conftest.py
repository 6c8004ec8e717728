"""The first assignment, built once for the slow tests of a process."""

from pathlib import Path

import pytest

from adamcore.grading.build import Built, build

SOURCE = Path(__file__).resolve().parent.parent.parent / "book" / "assignments" / "sources" / "averages.ipynb"


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Built:
    pytest.importorskip("otter", reason="otter-grader is not installed")
    return build(SOURCE, tmp_path_factory.mktemp("assignments"), "2027s", "the key of a term")
