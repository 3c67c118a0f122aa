"""Writes the private repository in which a course marks: source, grader, and the workflows that run it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from autograder.assignment import NAME, load_assignment, source_notebook
from autograder.errors import UsageError
from autograder.files import write_atomically
from autograder.packages.wheel import constraints, own_wheel

HERE = Path(__file__).parent
COURSE_FILES = ("nbgrader_config.py", "autograder.toml")
VENDOR = "vendor"
_WHEEL = "WHEEL"  # in a template: the path of the wheel that it installs
# What a template is called where it goes; names that begin with a dot would be missed by many a tool here.
_PLACES = {"gitlab-ci.yml": ".gitlab-ci.yml", "gitignore": ".gitignore"}
_COURSE_SCRIPTS = ("namespaces", "install", "mark", "publish", "collect")


def write_course_repository(course: Path, out: Path) -> Path:
    """Write the private repository of a course into the new folder `out`: source, grader, workflows; return it.

    Raises UsageError where `out` is there already, or the course cannot be read.
    """
    load_assignment(course)
    _begin(out)
    name, wheel = own_wheel()
    _write(out / VENDOR / name, wheel)
    _write(out / "source" / NAME / f"{NAME}.ipynb", source_notebook(course).read_bytes())
    for file in COURSE_FILES:
        if (course / file).is_file():
            _write(out / file, (course / file).read_bytes())
    _write(out / ".github" / "workflows" / "grade.yml", (HERE / "grade.yml").read_bytes())
    _finish(out, HERE / "course", f"{VENDOR}/{name}", _COURSE_SCRIPTS)
    return out


def _begin(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already; name a new folder, and move over what you have changed")


def _finish(out: Path, templates: Path, wheel: str, scripts: Iterable[str]) -> None:
    _write(out / "constraints.txt", constraints().encode())
    for name in scripts:
        _program(HERE / "ci" / name, out / ".ci" / name)
    for path in sorted(templates.iterdir()):
        text = path.read_text(encoding="utf-8").replace(_WHEEL, wheel)
        if path.name.startswith("gitlab") or path.suffix != ".yml":
            place = out / _PLACES.get(path.name, path.name)
        else:
            place = out / ".github" / "workflows" / path.name
        _write(place, text.encode())


def _program(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
