"""Writes the repository in which a course marks, and the one that each student gets a copy of.

A student can change all of the second, its workflow too. So it holds the release and the visible checks, and nothing
that it says is a mark.
"""

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
# Templates lie as they are to lie, but for the dot in front, for which many a tool would miss them here.
_DOTTED = {"ci", "github", "gitlab-ci.yml", "gitignore"}
_SCRIPTS = ".ci"
_COURSE_SCRIPTS = ("namespaces", "install", "mark", "publish", "collect")
_STUDENT_SCRIPTS = ("install",)


def write_course_repository(course: Path, out: Path) -> Path:
    """Write the private repository of a course into the new folder `out`: source, grader, workflows; return it.

    Raises UsageError where `out` is there already or cannot be made, or the course cannot be read.
    """
    names = assignment_names(course)
    find_assignment(course, next(iter(names), None))
    assignments = [load_assignment(course, name) for name in names]
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
        _write(out / _SCRIPTS / name, (HERE / "ci" / name).read_bytes())
    for path in sorted(path for path in templates.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        for word, meant in words.items():
            text = text.replace(word, meant)
        first, *rest = path.relative_to(templates).parts
        _write(out.joinpath(f".{first}" if first in _DOTTED else first, *rest), text.encode())


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    write_atomically(path, content)
    if path.parent.name == _SCRIPTS:
        path.chmod(0o755)
