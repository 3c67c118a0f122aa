"""Downloads of Canvas and Moodle: whose each file is, in `autograder grade` and in nbgrader's own zip_collect."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.intake.class_folder import Roll
from autograder.intake.lms_downloads import sent_through
from tests.fake_class import grade, report, rows
from tests.fake_judge import small_course
from tests.nbgrader_courses import course_folder, nbgrader
from tests.notebooks import NAME

FILE = f"{NAME}.ipynb"
CANVAS = {
    f"lovelaceada_1001_70531_{FILE}": "fine",
    f"babbage_charles_LATE_1002_70532_{NAME}-1.ipynb": "partly",  # the second time, and late
    f"mülleranneliese_1003_70540_{FILE}": "fine",
    "mülleranneliese_1003_70533_2_3_analysis.ipynb": "nothing",
    "hopper_1004_70534_essay.pdf": "",
    "noether_1005_text.html": "",
    "turing_1006_70535_two\nlines \u202e😀.ipynb": "fine",
}
MOODLE = {
    f"Ada Lovelace_4711_assignsubmission_file/{FILE}": "fine",
    "Charles_Babbage_4712_assignsubmission_file_/hw.ipynb": "partly",  # as older versions spell it
    f"Group 1-Grace Hopper_4713_assignsubmission_file_{FILE}": "fine",  # without folders
    "Emmy Noether_4714_assignsubmission_file/essay.pdf": "",
    "Emmy Noether_4714_assignsubmission_onlinetext/onlinetext.html": "",
}


def put(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def pack(archive: Path, files: dict[str, str]) -> Path:
    """Write files into a zip."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return archive


def read(names: Iterable[str]) -> list[str]:
    """Return the students of these notebooks."""
    return list(sent_through(dict.fromkeys(names, True))[1])


def scores(course: Path) -> dict[str, str]:
    """Return every student's score of a class that the fake judge marked."""
    return {row["student"]: row["score"] for row in rows(course)}


def test_names_say_who_handed_in() -> None:
    """The numbers are the students, also where a name has underscores, digits or no letters, or is kept secret."""
    assert read([f"x_{FILE}"]) == []
    assert read([f"o_brien3_1001_7_{FILE}", f"李雷_1002_8_{FILE}"]) == ["1001", "1002"]
    assert read([f"anon_x7Kp2_70531_{FILE}", f"LATE_anon_a1b2c_70532_{FILE}"]) == ["anon_a1b2c", "anon_x7Kp2"]
    assert read(["Participant_4711_assignsubmission_file_", "_assignsubmission__4712_assignsubmission_file"]) == [
        "4711", "4712",
    ]  # fmt: skip
    assert read([f"Ada_4711_assignsubmission_file_Ben_4712_assignsubmission_file_{FILE}"]) == ["4711"]
    assert read([f"ada_1001_7_ben_1002_8_{FILE}"]) == ["1001"]
    assert sent_through({f"a_1_2_{FILE}": True, "ada": True}) == ("", {})
    assert sent_through({f"a_1_2_{FILE}": True, "grades.csv": False, "__MACOSX": True})[0] == "Canvas"


@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "zip"])
def test_grade_reads_a_download_of_canvas(tmp_path: Path, zipped: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Each number has one report: of the notebook with the right name, or a zero for what is none."""
    course = small_course(tmp_path / "course")
    files = {**CANVAS, "roster.csv": "", "__MACOSX/x": ""}
    place = pack(tmp_path / "submissions.zip", files) if zipped else put(tmp_path / "download", files)
    assert grade(course, folder=place) == 0
    assert scores(course) == {
        "1001": "100.0", "1002": "66.666667", "1003": "100.0", "1004": "0.0", "1005": "0.0", "1006": "100.0",
    }  # fmt: skip
    assert report(course, "1003")["warnings"][0]["code"] == "several_notebooks"
    assert "no file that ends in .ipynb" in report(course, "1004")["reason"]
    said = capsys.readouterr().out
    assert "Read as a download from Canvas" in said
    assert "no folder of a student's: roster.csv.\n" in said
    if zipped:
        assert grade(course, folder=place) == 0
        assert "6 of 6 were marked before" in capsys.readouterr().out


def test_grade_reads_a_download_of_moodle(tmp_path: Path) -> None:
    """With folders or without, of any version; what was typed online is no second student."""
    course = small_course(tmp_path / "course")
    assert grade(course, folder=put(tmp_path / "download", MOODLE)) == 0
    assert scores(course) == {"4711": "100.0", "4712": "66.666667", "4713": "100.0", "4714": "0.0"}


def test_grade_reads_a_zip_of_plain_folders(tmp_path: Path) -> None:
    """An archive of nbgrader's layout is read as the folder would be; what macOS adds is no student."""
    course = small_course(tmp_path / "course")
    files = {f"Zoë/{NAME}/{FILE}": "fine", "ben/hw.ipynb": "partly", "__MACOSX/._x.ipynb": "", ".DS_Store": ""}
    assert grade(course, folder=pack(tmp_path / "class.zip", files)) == 0
    assert scores(course) == {"Zoë": "100.0", "ben": "66.666667"}


def test_grade_on_other_machines_wants_a_folder(tmp_path: Path) -> None:
    """What is unpacked here no other machine can read: said, before anybody gets a zero for it."""
    archive = pack(tmp_path / "x.zip", CANVAS)
    with pytest.raises(UsageError, match="unpack it where they can"):
        grade(small_course(tmp_path / "course"), folder=archive, scheduler="tcp://elsewhere:8786")


@pytest.mark.parametrize(("files", "students"), [(CANVAS, 4), (MOODLE, 3)], ids=["canvas", "moodle"])
def test_zip_collect_takes_what_grade_would_mark(tmp_path: Path, files: dict[str, str], students: int) -> None:
    """nbgrader's command fills submitted/ with the notebooks that the same download has for `autograder grade`."""
    course = course_folder(tmp_path / "course")
    archive = pack(course / "downloaded" / NAME / "archive" / "submissions.zip", files)
    nbgrader(course, "zip_collect", NAME)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "download")
    expected = {
        each.student: each.notebook.read_bytes()
        for each in Roll(tmp_path / "download", tmp_path / "results", NAME)
        if each.notebook is not None
    }
    collected = {path.parent.parent.name: path.read_bytes() for path in (course / "submitted").rglob(FILE)}
    assert collected == expected
    assert len(collected) == students


def test_zip_collect_says_what_it_refuses(tmp_path: Path) -> None:
    """A hostile archive ends the command with a sentence and no trace-back; nothing is collected."""
    course = course_folder(tmp_path / "course")
    pack(course / "downloaded" / NAME / "archive" / "x.zip", {f"a_1_2_{FILE}": "fine", "../../../../evil": "x"})
    with pytest.raises(AssertionError) as failed:
        nbgrader(course, "zip_collect", NAME)
    assert "the entry '../../../../evil' leads out of the archive; nothing was unpacked" in str(failed.value)
    assert "Traceback" not in str(failed.value)
    assert not (course / "submitted").exists()
