"""Stored marks, told to a CI system: what it reads, and that no student's text is one of its commands."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from junitparser import JUnitXml

from autograder.errors import GraderFault
from autograder.render.github import SUMMARY_BYTES, command, to_annotations, to_classroom, to_summary
from autograder.render.prairielearn import to_prairielearn
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, Decision, Report, TaskResult
from autograder.system.file_names import file_name
from autograder.verdict import Status
from tests.fake_class import HOSTILE_NAMES, name_the_class
from tests.sample_reports import HOSTILE, graded, hostile, is_plain

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^::(error|warning|notice) (?:file=[^:,\n]+,)?title=[^:,\n]*::.*$")


def store(folder: Path, *reports: Report) -> Path:
    """Put reports where `autograder grade` does."""
    folder.mkdir(exist_ok=True)
    for report in reports:
        (folder / f"{file_name(report.student)}.json").write_text(report.to_json())
    return folder


def publish(*arguments: str | Path, code: int = 0, **environment: str | Path) -> str:
    """Run the command as a publishing job does: a Python without any package; return what it printed or complained."""
    done = run(*arguments, code=code, **environment)
    return done.stdout if code == 0 else done.stderr


def run(*arguments: str | Path, code: int = 0, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it, with both of its streams."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "autograder", "publish", *map(str, arguments)],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **{name: str(value) for name, value in environment.items()}},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_job_gets_its_summary_and_annotations(tmp_path: Path) -> None:
    """The report is appended to the step's summary, and each lost check is a line that GitHub shows."""
    target = tmp_path / "summary.md"
    target.write_text("Before.\n")
    printed = publish("github", store(tmp_path / "results", graded()), GITHUB_STEP_SUMMARY=target)
    assert target.read_text().startswith("Before.\n## consistency-models: `ada`\n\n**22 of 50 points**")
    lines = printed.splitlines()
    assert len(lines) == 5
    assert all(COMMAND.match(line) for line in lines)
    assert lines[0].startswith(
        "::warning file=consistency-models.ipynb,"
        "title=The EMA update of the target%3A The target moves to the weighted mean (wrong value%2C 0 / 8)::The two"
    )
    assert lines[2].count("%0A") == 2
    assert lines[4].startswith("::notice ")


def test_a_class_is_a_table_and_only_what_staff_must_see_is_annotated(tmp_path: Path) -> None:
    """One row a student; a fault of ours is an error, a file that cannot be read a warning."""
    results = store(
        tmp_path / "results",
        graded("ada"),
        graded("bob", status=GRADER_ERROR, reason="ours"),
        graded("eve", status=UNREADABLE, reason="The file ends at byte 7.", tasks=()),
    )
    target = tmp_path / "summary.md"
    printed = publish("github", results, GITHUB_STEP_SUMMARY=target)
    assert printed.splitlines() == [
        "::error title=bob%3A grader error::ours",
        "::warning title=eve%3A unreadable::The file ends at byte 7.",
    ]
    text = target.read_text()
    assert "| `ada` | 22 / 50 | 0 | graded | The EMA update of the target, The multi-step sampler |" in text
    assert "| `bob` | – | 0 | grader error |" in text


@pytest.mark.parametrize("report", [hostile(), graded("a", status=UNREADABLE, reason=HOSTILE, file=HOSTILE, tasks=())])
def test_no_text_of_a_student_is_a_command(tmp_path: Path, report: Report) -> None:
    """Whatever it holds, an annotation is one line and one command, and the summary has none."""
    printed = publish("github", store(tmp_path / "results", report), GITHUB_STEP_SUMMARY=tmp_path / "summary.md")
    for line in printed.splitlines():
        assert COMMAND.match(line)
        assert line.count("::") == 2
        assert "##" not in line
    assert "::" not in (tmp_path / "summary.md").read_text()
    assert "##[" not in (tmp_path / "summary.md").read_text()


def test_no_name_of_a_student_leaves_its_cell() -> None:
    """Names of every kind make one row each; the table stays a table, and no row is a command."""
    text = to_summary([graded(name) for name in HOSTILE_NAMES])
    rows = [line for line in text.splitlines() if line.startswith("| ") and "22 / 50" in line]
    assert len(rows) == len(HOSTILE_NAMES)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)
    assert "::" not in text


def test_a_command_is_escaped_as_the_runner_reads_it() -> None:
    """Percent signs first, then line ends, and in a property colons and commas too."""
    line = command("error", "50 %\nof it: all", {"file": "a,b:c.ipynb", "title": ""})
    assert line == "::error file=a%2Cb%3Ac.ipynb::50 %25%0Aof it: all"


def test_annotations_and_summary_end() -> None:
    """GitHub shows ten of a level, and drops a summary of more than a mebibyte."""
    lost = tuple(CheckResult(str(n), "t", Fraction(1, 99), Status.WRONG, Fraction(0), "m") for n in range(99))
    assert len(list(to_annotations([graded(tasks=(TaskResult("a", "A", 9.0, False, lost),))]))) == 10
    text = to_summary([graded(f"student {place} {'x' * 150}") for place in range(5000)])
    assert SUMMARY_BYTES * 0.9 < len(text.encode()) <= SUMMARY_BYTES
    assert re.search(r"… and \d+ more; the artifact holds all of them\.\n$", text)


def decoded(text: str) -> dict[str, Any]:
    """Read a payload as Classroom's reporter does."""
    value: dict[str, Any] = json.loads(base64.b64decode(text, validate=True))
    return value


def test_classroom_reads_points_and_outcomes(tmp_path: Path) -> None:
    """Its total, the sum of the tests, is ours; a failing test names its check and ships no code."""
    output = tmp_path / "output"
    report = store(tmp_path / "results", graded()) / "ada.json"
    assert publish("classroom", report, GITHUB_OUTPUT=output) == ""
    name, _, payload = output.read_text().rstrip("\n").partition("=")
    value = decoded(payload)
    assert name == "result"
    assert (value["version"], value["status"], value["max_score"]) == (1, "fail", 50.0)
    assert round(sum(test["score"] for test in value["tests"]), 4) == 22.0
    assert {test["test_code"] for test in value["tests"]} == {""}
    assert publish("classroom", report).rstrip("\n") == payload


def test_classroom_is_told_what_a_person_decided() -> None:
    """A task that staff decided on is one test with their points and reason."""
    report = graded()
    tasks = tuple(replace(task, override=Decision(task.points, "Accepted.")) for task in report.tasks)
    value = to_classroom(replace(report, tasks=tasks))
    assert value["status"] == "pass"
    assert [test["score"] for test in value["tests"]] == [task.points for task in tasks]


def test_classroom_prints_no_command_of_a_student(tmp_path: Path) -> None:
    """Its reporter prints names and messages as they are: none is a command, and all fit into one variable."""
    check = CheckResult("v", "t", Fraction(1, 30), Status.RUNTIME, Fraction(0), HOSTILE * 200)
    tasks = (TaskResult("a", HOSTILE, 30.0, False, tuple(replace(check, id=str(n)) for n in range(30))),)
    payload = publish("classroom", store(tmp_path / "results", graded(tasks=tasks)) / "ada.json").rstrip("\n")
    assert len(payload) < 128 * 1024
    for test in decoded(payload)["tests"]:
        assert "::" not in test["name"] + test["message"]
        assert "\n" not in test["name"]
        assert is_plain(test["name"] + test["message"])


def test_classroom_gets_no_zero_for_a_fault_of_ours(tmp_path: Path) -> None:
    """It has no form for a submission without a mark, so nothing is reported, and the step fails with 4."""
    with pytest.raises(GraderFault, match="no mark for ada"):
        to_classroom(graded(status=GRADER_ERROR, reason="Ours."))
    results = store(tmp_path / "results", graded(status=GRADER_ERROR, reason="Ours."))
    assert "no mark for ada" in publish("classroom", results / "ada.json", code=4, TMPDIR=tmp_path)
    value = to_classroom(graded(status=UNREADABLE, reason="Cut short.", tasks=()))
    assert [(test["name"], test["score"], test["message"]) for test in value["tests"]] == [
        ("submission", 0.0, "Cut short.")
    ]


def test_a_class_is_one_junit_document(tmp_path: Path) -> None:
    """A suite a student, no case twice whatever the names are, valid and read by another program."""
    results = store(tmp_path / "results", hostile(), *(graded(name) for name in HOSTILE_NAMES))
    out = tmp_path / "junit.xml"
    publish("junit", results, "--out", out)
    xmlschema.XMLSchema(ROOT / "tests" / "schemas" / "junit.xsd").validate(out)
    read = JUnitXml.fromfile(str(out))
    assert len(list(read)) == len(HOSTILE_NAMES) + 1
    assert (read.tests, read.failures) == (10 * len(HOSTILE_NAMES) + 1, 4 * len(HOSTILE_NAMES) + 1)


@pytest.mark.parametrize("content", ["{}", "[" * 100_000, '{"schema": 1}', "\udcff", '"' + "x" * (4 << 20) + '"'])
def test_what_is_no_report_is_refused_as_a_whole(tmp_path: Path, content: str) -> None:
    """Nothing of a folder is published when one file in it is not ours."""
    results = store(tmp_path / "results", graded())
    (results / "eve.json").write_text(content, errors="surrogateescape")
    target = tmp_path / "summary.md"
    told = publish("github", results, code=2, GITHUB_STEP_SUMMARY=target)
    assert "eve.json is no report" in told
    assert "Error" not in told
    assert not target.exists()


def test_a_path_that_is_not_there_is_said_to_be_that(tmp_path: Path) -> None:
    """A slip in the path is no broken report."""
    assert f"there is no file or folder {tmp_path / 'none'};" in publish("junit", tmp_path / "none", code=2)
    assert "cannot be read: Not a directory" in publish("junit", store(tmp_path / "r", graded()) / "ada.json/x", code=2)


def test_a_mark_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    """A score that was changed by hand is not the sum of its checks."""
    value = graded().to_dict() | {"score": 50.0}
    (tmp_path / "ada.json").write_text(json.dumps(value))
    assert "its parts do not add up" in publish("classroom", tmp_path / "ada.json", code=2)


def test_prairielearn_reads_a_share_of_the_points(tmp_path: Path) -> None:
    """Its score lies between 0 and 1, every test has points, and no text has a null byte."""
    out = tmp_path / "results.json"
    publish("prairielearn", store(tmp_path / "results", graded()) / "ada.json", "--out", out)
    value = json.loads(out.read_text())
    assert (value["gradable"], value["score"]) == (True, 0.44)
    assert all({"points", "max_points"} <= test.keys() for test in value["tests"])
    text = json.dumps(to_prairielearn(hostile()), ensure_ascii=False)
    assert is_plain(text)
    assert "\\u0000" not in text
    assert len(text) < 1 << 20


@pytest.mark.parametrize("status", [UNREADABLE, GRADER_ERROR])
def test_prairielearn_counts_no_attempt_for_what_was_not_marked(status: str) -> None:
    """A broken file and a fault of ours are not gradable, with the reason."""
    value = to_prairielearn(graded(status=status, reason="Why.", tasks=()))
    assert value == {"gradable": False, "format_errors": ["Why."], "message": "Why."}


def test_one_student_is_not_taken_from_a_class(tmp_path: Path) -> None:
    """Which of several is meant is never guessed."""
    results = store(tmp_path / "results", graded("ada"), graded("bob"))
    assert "name one report" in publish("classroom", results, code=2)


def test_who_left_the_class_is_not_published(tmp_path: Path) -> None:
    """A report of before the last grading, whose submission is gone, is in no table."""
    results = store(tmp_path, graded("ada"), graded("ben"))
    whole = run("junit", results)
    assert ("ben" in whole.stdout, whole.stderr) == (True, "")
    name_the_class(results, "ada")
    published = run("junit", results)
    assert "ada" in published.stdout
    assert "ben" not in published.stdout
    assert published.stderr == "1 report left over from before the last grading; not published\n"
