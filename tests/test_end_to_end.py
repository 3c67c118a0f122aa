"""The main job on real input: README's one command, the sample class, the real judge."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nbgrader import api

from tests.documented_commands import Shell, blocks

ROOT = Path(__file__).parents[1]
STUDENTS = ("broken", "correct", "hostile", "partly-wrong", "untouched")
COMMAND = Path(sys.executable).with_name("autograder")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.bubblewrap,
    pytest.mark.xdist_group("end_to_end"),  # one class for one worker
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap"),
]


def autograder(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command on this repository's course."""
    command = [str(COMMAND), *map(str, arguments), "--course", str(ROOT)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def grade(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Grade the class in a folder, with a gradebook beside it."""
    gradebook = f"sqlite:///{folder}/gradebook.db"
    return autograder("grade", folder / "sample-class", "--out", folder / "results", "--gradebook", gradebook, *options)


def without_seconds(path: Path) -> dict[str, Any]:
    """Return a report without the one thing that may differ."""
    report: dict[str, Any] = json.loads(path.read_text())
    return report | {"seconds": None}


def figures_of(results: Path, student: str) -> list[dict[str, Any]]:
    """Return the figures that are stored of a student."""
    record = json.loads((results / "staff" / f"{student}.json").read_text())
    return list(record["figures"])


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `make grade`, as README has it typed, leaves in a copy of what it needs.

    The environment is this one: installing it anew takes gigabytes.
    """
    root = tmp_path_factory.mktemp("repository")
    for folder in ("source", "release", ".ci"):
        shutil.copytree(ROOT / folder, root / folder)
    for file in ("Makefile", "nbgrader_config.py", "pyproject.toml", "constraints.txt", "tests/sample_class.py"):
        (root / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    (root / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (root / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (root / ".venv" / "installed").touch()
    shell = Shell(root, {"PATH": os.environ["PATH"], "HOME": str(root), "LANG": "C.UTF-8"})
    first, *_ = blocks(ROOT / "README.md")  # test_readme types the others
    printed = shell.run(first)
    assert "build/results/index.html" in printed.replace("\n", "")
    assert "::notice" not in printed
    assert "::stop-commands" not in printed
    return root / "build"


def test_grade_marks_the_sample_class(graded: Path) -> None:
    """Right, partly wrong, untouched, hostile and broken: each gets what it earned."""
    with open(graded / "results" / "grades.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: (row["status"], row["score"], row["bonus"]) for name, row in rows.items()} == {
        "broken": ("unreadable", "0.0", "0.0"),
        "correct": ("graded", "100.0", "10.0"),
        "hostile": ("graded", "0.0", "0.0"),
        "partly-wrong": ("graded", "84.0", "10.0"),
        "untouched": ("graded", "0.0", "0.0"),
    }
    assert rows["partly-wrong"]["ema_update"] == "0.0"


def test_grade_writes_the_gradebook(graded: Path) -> None:
    """nbgrader reads the same points from its gradebook, and the marked notebooks lie beside the results."""
    with api.Gradebook(f"sqlite:///{graded}/gradebook.db") as book:
        submissions = book.assignment_submissions("consistency-models")
        assert {each.student.id: each.score for each in submissions} == {
            "broken": 0.0, "correct": 110.0, "hostile": 0.0, "partly-wrong": 94.0, "untouched": 0.0,
        }  # fmt: skip
        assert {each.max_score for each in submissions} == {120.0}
    for student in ("broken", "correct", "hostile", "partly-wrong", "untouched"):
        assert (graded / "results" / "autograded" / student / "consistency-models").is_dir()
    assert not (ROOT / "gradebook.db").exists()


def test_score_cold_is_the_same_as_grade_warm(graded: Path) -> None:
    """One submission alone has the report that it has in a class, but for the seconds; the page has none."""
    notebook = graded / "sample-class" / "partly-wrong" / "consistency-models" / "consistency-models.ipynb"
    page, report = graded / "cold.html", graded / "cold.json"
    run = autograder(
        "score", notebook, "--student", "partly-wrong", "--json", report, "--html", page, "--fail-under", "90"
    )
    assert run.returncode == 1, run.stderr
    assert without_seconds(report) == without_seconds(graded / "results" / "partly-wrong.json")
    assert page.read_bytes() == (graded / "results" / "partly-wrong.html").read_bytes()
    assert page.read_text(encoding="utf-8").count("<figure>") == 3


def test_figures_are_stored_beside_the_report_and_not_in_it(graded: Path) -> None:
    """Figures are stored as data, so that pages can be drawn again; an untouched notebook has none."""
    stored = {name: figures_of(graded / "results", name) for name in STUDENTS}
    assert {name: [figure["name"] for figure in figures] for name, figures in stored.items()} == {
        "broken": [], "hostile": [], "untouched": [],
        "correct": ["samples", "distance", "levels"],
        "partly-wrong": ["samples", "distance", "levels"],
    }  # fmt: skip
    assert "In place of ema_update" in stored["partly-wrong"][1]["words"]
    assert "figures" not in (graded / "results" / "correct.json").read_text()


def test_reports_show_nothing_hidden(graded: Path) -> None:
    """No report names the course's folder or ours, or holds a line of a check."""
    for path in (graded / "results").glob("*.*"):
        text = path.read_text(encoding="utf-8")
        for secret in (str(ROOT), "site-packages", "Traceback (most", "strategies", "oracles", "from autograder"):
            assert secret not in text, (path.name, secret)


def test_grade_goes_on_where_it_stopped(graded: Path) -> None:
    """A second run keeps every report as it is."""
    before = {path.name: path.read_bytes() for path in (graded / "results").glob("*.json")}
    run = grade(graded)
    assert run.returncode == 0, run.stderr
    assert {path.name: path.read_bytes() for path in (graded / "results").glob("*.json")} == before
    assert "5 of 5 were marked before" in run.stdout


def test_grade_only_keeps_what_it_does_not_mark(graded: Path) -> None:
    """Marked again in a part, and with the rest kept, a report is the same as marked whole; so are its figures."""
    results = graded / "results"
    before = {name: without_seconds(results / f"{name}.json") for name in STUDENTS}
    figures = {name: figures_of(results, name) for name in STUDENTS}
    run = grade(graded, "--only", "sample_consistency_multistep", "--only", "boundary_condition", "--force")
    assert run.returncode == 0, run.stderr
    for name in STUDENTS:
        assert without_seconds(results / f"{name}.json") == before[name], name
        record = json.loads((results / "staff" / f"{name}.json").read_text())
        assert record["figures"] == figures[name], name
        again = record["staff"].get("marked_again")
        assert again == (None if name == "broken" else ["boundary_condition", "sample_consistency_multistep"]), name
