"""Canvas's gradebook: its own export, filled, as Canvas reads it."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest

from autograder import cli
from autograder.report import GRADER_ERROR, CheckResult, Report, TaskResult
from autograder.system.file_names import file_name
from autograder.verdict import Status
from tests.fake_class import HOSTILE_NAMES, name_the_class
from tests.sample_reports import graded

EXPORT = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW1 Consistency models (4314282),Essay (99),Current Score
Points Possible,,,,,100,10,(read only)
"Lovelace, Ada",1001,S1001,ada,CS101-01,,7.5,75
"Turing, Alan",1002,S1002,alan,CS101-01,3,8,80
"Noether, Emmy",1003,S1003,emmy,"CS101-01 and CS101-02",EX,9,90
"Student, Test",1004,,f00d,CS101-01,,,
"""


def marked(student: str, earned: str = "7/8", **changes: object) -> Report:
    """Return the report of a student who earned this part of 100 points."""
    check = CheckResult("values", "the values", Fraction(1), Status.WRONG, Fraction(earned))
    return graded(student, tasks=(TaskResult("noisy_sample", "Noise", 100.0, False, (check,)),), **changes)


def fill(
    folder: Path, export: str, reports: list[Report], *options: str, code: int = 0, encoding: str = "utf-8"
) -> list[list[str]]:
    """Run the command and return the rows that Canvas would read."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    for report in reports:
        (results / f"{file_name(report.student)}.json").write_text(report.to_json())
    (folder / "export.csv").write_bytes(export.encode(encoding))
    assert cli.main(["canvas", str(folder / "export.csv"), str(results), *options]) == code
    return rows(results / "canvas.csv") if code == 0 else []


def rows(path: Path) -> list[list[str]]:
    """Read a file as Canvas's importer does: UTF-8 with or without a mark, the separator guessed."""
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in text else ",", strict=True))


def test_canvas_fills_its_own_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Identity columns, header and points stay; marks go where the student's id says; who is missing is told."""
    made = fill(tmp_path, EXPORT, [marked("ada"), marked("1002", "1"), marked("ghost")])
    assert made == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW1 Consistency models (4314282)"],
        ["Points Possible", "", "", "", "", "100"],
        ["Lovelace, Ada", "1001", "S1001", "ada", "CS101-01", "87.5"],
        ["Turing, Alan", "1002", "S1002", "alan", "CS101-01", "100"],
        ["Noether, Emmy", "1003", "S1003", "emmy", "CS101-01 and CS101-02", "EX"],
        ["Student, Test", "1004", "", "f00d", "CS101-01", ""],
    ]
    told = capsys.readouterr().out
    assert "2 marks entered" in told
    assert "1 marked, but not in Canvas's export: ghost" in told
    assert "2 in Canvas's export without a report; left as they were: Noether, Emmy, Student, Test" in told


@pytest.mark.parametrize("student", ["ada", "ADA", "S1001", "1001", "Lovelace, Ada", "Ada Lovelace"])
def test_canvas_knows_a_student_as_canvas_does(tmp_path: Path, student: str) -> None:
    """By login, SIS id, Canvas's id, or either form of the name."""
    assert fill(tmp_path, EXPORT, [marked(student)])[2][5] == "87.5"


def test_canvas_never_guesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name of two students, two folders of one student, and an id that is another's login are told and left out."""
    export = EXPORT + '"Lovelace, Ada",1005,S1005,ada2,CS101-03,,,\n"Doe, Jo",1006,S1006,1001,CS101-03,,,\n'
    reports = [marked("Ada Lovelace"), marked("alan"), marked("S1002"), marked("1001")]
    made = fill(tmp_path, export, reports)
    assert [row[5] for row in made] == ["HW1 Consistency models (4314282)", "100", "", "3", "EX", "", "", ""]
    assert "4 not entered, since the name fits" in capsys.readouterr().out


def test_canvas_leaves_what_is_no_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An excused student stays excused, and our own fault changes nothing."""
    made = fill(tmp_path, EXPORT, [marked("emmy"), marked("alan", status=GRADER_ERROR, reason="ours")])
    assert (made[3][5], made[4][5]) == ("3", "EX")
    told = capsys.readouterr().out
    assert "1 not marked through a fault of the grader; left as they were: alan" in told
    assert "1 excused in Canvas; left so: emmy" in told


def test_canvas_adds_the_bonus_and_scales_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bonus is extra credit; other points than ours are told, and converted with --scale."""
    export = EXPORT.replace("Points Possible,,,,,100", "Points Possible,,,,,14")
    bonus = CheckResult("values", "the values", Fraction(1), Status.PASSED, Fraction(1))
    report = marked("ada")
    report = graded("ada", tasks=(*report.tasks, TaskResult("pair", "Pair", 10.0, True, (bonus,))))
    assert fill(tmp_path, export, [report])[2][5] == "97.5"
    assert "Canvas has 14 points for it, the marks are out of 100" in capsys.readouterr().out
    assert fill(tmp_path, export, [report], "--scale")[2][5] == "13.65"


def test_canvas_keeps_the_form_of_the_export(tmp_path: Path) -> None:
    """Its mark of UTF-8, separator, line ends and blank section; names with a line end or quotes survive."""
    export = "\ufeffStudent;ID;SIS Login ID;Section;Consistency models (7)\r\n    Points Possible;;;;100,00\r\n"
    export += '"Müller ""Zoë""\r\nvon";7;zoë;;\r\n'
    made = fill(tmp_path, export, [marked("zoe\u0308")])
    data = (tmp_path / "results" / "canvas.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfStudent;ID;")
    assert data.count(b"\r\n") == 4
    assert made[2] == ['Müller "Zoë"\r\nvon', "7", "zoë", "", "87.5"]


def test_canvas_names_of_columns_and_rows_that_are_no_students(tmp_path: Path) -> None:
    """LastName,FirstName,ID is a header of Canvas's too; `Manual Posting` is no student; a read-only sum no target."""
    export = (
        "LastName,FirstName,ID,Section,Consistency models Final Score,consistency-models (1)\n"
        ",,,,,Manual Posting\nPoints Possible,,,,(read only),100\nLovelace,Ada,1001,A,50,\n"
    )
    made = fill(tmp_path, export, [marked("Lovelace, Ada")])
    assert made[1] == ["", "", "", "", "Manual Posting"]
    assert made[3] == ["Lovelace", "Ada", "1001", "A", "87.5"]


def test_canvas_can_keep_the_other_columns(tmp_path: Path) -> None:
    """With --all-columns the file is the export but for the marks entered."""
    made = fill(tmp_path, EXPORT, [marked("ada")], "--all-columns")
    assert made[2] == ["Lovelace, Ada", "1001", "S1001", "ada", "CS101-01", "87.5", "7.5", "75"]


def test_canvas_file_holds_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever students call themselves, no cell of theirs begins a formula, and each has its mark."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["Student", "ID", "SIS Login ID", "Section", "Consistency models (7)"])
    for place, name in enumerate(HOSTILE_NAMES):
        writer.writerow([name, 5000 + place, name, "=1+1", ""])
    reports = [marked(name, f"{place}/100") for place, name in enumerate(HOSTILE_NAMES)]
    made = fill(tmp_path, table.getvalue(), [*reports, marked("::error::gone\x1b[2J")])
    for place, (name, row) in enumerate(zip(HOSTILE_NAMES, made[1:], strict=True)):
        assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in row)
        assert row[0].removeprefix("'") == name
        assert row[4] == str(place)
    told = capsys.readouterr().out
    assert "::" not in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("export", "options", "says"),
    [
        ("name,points\nada,1\n", (), "is no export of Canvas's gradebook"),
        ("", (), "is no export of Canvas's gradebook"),
        (
            EXPORT.replace("Consistency models", "Old"),
            (),
            "no column of the export has a title that holds 'consistency models'; name",
        ),
        (EXPORT, ("--column", "Missing"), "name one with --column: 'HW1 Consistency models (4314282)', 'Essay (99)'"),
        (
            EXPORT.replace("Essay", "Consistency models resit"),
            (),
            "more than one column of the export has a title that holds",
        ),
        (EXPORT.replace(",100,", ",,"), ("--scale",), "--scale needs Canvas's points"),
        ('Student,ID,Section,Consistency models\n"open', (), "cannot be read as CSV"),
    ],
)
def test_canvas_refuses_what_it_cannot_fill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], export: str, options: tuple[str, ...], says: str
) -> None:
    """One sentence says what is wrong, and nothing is written."""
    fill(tmp_path, export, [marked("ada")], *options, code=2)
    assert says in capsys.readouterr().err
    assert not (tmp_path / "results" / "canvas.csv").exists()


def test_canvas_refuses_a_file_in_another_encoding_and_an_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Letters are never guessed either."""
    fill(tmp_path, EXPORT.replace("Ada", "Zoë"), [marked("ada")], code=2, encoding="latin-1")
    assert "export.csv is not in UTF-8" in capsys.readouterr().err
    assert cli.main(["canvas", str(tmp_path), str(tmp_path / "results")]) == 2
    assert f"{tmp_path} cannot be read: Is a directory" in capsys.readouterr().err
    fill(tmp_path / "results", EXPORT, [], code=2)


def test_canvas_leaves_out_who_left_the_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report of before the last grading, whose submission is gone, fills no row, and is told."""
    fill(tmp_path, EXPORT, [marked("ada"), marked("emmy")])
    name_the_class(tmp_path / "results", "ada")
    capsys.readouterr()
    assert cli.main(["canvas", str(tmp_path / "export.csv"), str(tmp_path / "results")]) == 0
    said = capsys.readouterr()
    assert "1 mark entered" in said.out + said.err
    assert "1 report left over from before the last grading; not entered" in said.out + said.err
