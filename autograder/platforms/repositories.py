"""Writes the repository in which a course marks, and the one that each student gets a copy of.

A student can change all of the second, its workflow too. So it holds the release and the visible checks, and nothing
that it says is a mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.assignment import load_assignment
from autograder.course import AssignmentFolders, assignment_names, find_assignment
from autograder.errors import UsageError
from autograder.platforms.student.build import build_student_package
from autograder.platforms.wheel import constraints, own_wheel
from autograder.system.files import make_folder, write_atomically, writing

HERE = Path(__file__).parent
COURSE_FILES = ("nbgrader_config.py", "autograder.toml")
VENDOR = "vendor"
# In a template: the path of the wheel that it installs, the name of the assignment, and that as a title.
_WHEEL, _ASSIGNMENT, _TITLE = "WHEEL", "ASSIGNMENT", "TITLE"
# What a template is called where it goes; names that begin with a dot would be missed by many a tool here.
_PLACES = {"gitlab-ci.yml": ".gitlab-ci.yml", "gitignore": ".gitignore"}
_COURSE_SCRIPTS = ("namespaces", "install", "mark", "publish", "collect")
_STUDENT_SCRIPTS = ("install",)


def write_course_repository(course: Path, out: Path) -> Path:
    """Write the private repository of a course into the new folder `out`: source, grader, workflows; return it.

    Raises UsageError where `out` is there already or cannot be made, or the course cannot be read.
    """
    find_assignment(course, next(iter(assignment_names(course)), None))
    assignments = [load_assignment(course, name) for name in assignment_names(course)]
    _begin(out)
    name, wheel = own_wheel()
    _write(out / VENDOR / name, wheel)
    for assignment in assignments:
        _write(AssignmentFolders(out, assignment.name).source, assignment.source.read_bytes())
    for file in COURSE_FILES:
        if (course / file).is_file():
            _write(out / file, (course / file).read_bytes())
    _write(out / ".github" / "workflows" / "grade.yml", (HERE / "grade.yml").read_bytes())
    _finish(out, HERE / "course", {_WHEEL: f"{VENDOR}/{name}"}, _COURSE_SCRIPTS)
    return out


def write_student_repository(assignment: AssignmentFolders, out: Path) -> Path:
    """Write the repository that students get into the new folder `out`: the release and its visible checks; return it.

    Raises UsageError where `out` is there already or cannot be made, ReleaseFault where release/ is not fit to
    be given out.
    """
    _begin(out)
    wheel = build_student_package(assignment, out / VENDOR)
    for file in sorted(assignment.released.iterdir()):
        if file.is_file():
            _write(out / assignment.name / file.name, file.read_bytes())
    title = assignment.name.replace("-", " ").capitalize()
    words = {_WHEEL: f"{VENDOR}/{wheel.name}", _ASSIGNMENT: assignment.name, _TITLE: title}
    _finish(out, HERE / "repository", words, _STUDENT_SCRIPTS)
    return out


def _begin(out: Path) -> None:
    with writing(out):
        is_taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if is_taken:
        raise UsageError(f"{out} is there already; name a new folder, and move over what you have changed")
    make_folder(out)


def _finish(out: Path, templates: Path, words: dict[str, str], scripts: Iterable[str]) -> None:
    _write(out / "constraints.txt", constraints().encode())
    for name in scripts:
        _program(HERE / "ci" / name, out / ".ci" / name)
    for path in sorted(templates.iterdir()):
        text = path.read_text(encoding="utf-8")
        for word, meant in words.items():
            text = text.replace(word, meant)
        if path.name.startswith("gitlab") or path.suffix != ".yml":
            place = out / _PLACES.get(path.name, path.name)
        else:
            place = out / ".github" / "workflows" / path.name
        if path.name == "check":
            place = out / ".ci" / path.name
        _write(place, text.encode())
        if path.name == "check":
            place.chmod(0o755)


def _program(source: Path, target: Path) -> None:
    _write(target, source.read_bytes())
    target.chmod(0o755)


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    write_atomically(path, content)
