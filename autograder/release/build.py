"""Builds the student version from the instructor's notebook, proves it, and says whether the committed one is it.

The build is nbgrader's own generate_assignment, run in a temporary folder with a database of its own: the course's
gradebook never sees it. `source_check` says what may be released, `proof` looks at what came out. Beside the notebook
goes the lesson's page, which `lesson` makes, where the assignment has one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from autograder.assignment import assignment_module
from autograder.course import AssignmentFolders
from autograder.errors import ReleaseFault, UsageError
from autograder.release.generate import RUNS
from autograder.release.proof import prove_page, prove_release
from autograder.release.source_check import cell_name, check_source, read_notebook
from autograder.system.files import make_folder, write_atomically

if TYPE_CHECKING:
    from autograder.lesson.page import Lesson

# What students get. A file beside the notebook is released only when it is named here, not because it lies there.
LESSON = "lesson.html"
BUILD_SECONDS = 300  # nbgrader takes 7 on two quiet cores


def build_release(assignment: AssignmentFolders) -> dict[str, bytes]:
    """Build the student version of an assignment, prove it, write its files into release/NAME and return them.

    Files that no release has are removed there.
    Raises ReleaseFault, before anything is written, when the source cannot be released or the proof fails.
    """
    files, out = _built_files(assignment), assignment.released
    make_folder(out)
    for path in out.iterdir():
        if path.name not in files and path.is_file():
            path.unlink()
    for name, content in files.items():
        write_atomically(out / name, content)
    return files


def check_release(assignment: AssignmentFolders) -> None:
    """Build and prove the release again and compare it with the committed one. Writes nothing in the course.

    Raises ReleaseFault when the source cannot be released, the proof fails, or the committed release is stale; the
    message names what differs.
    """
    found = differences(assignment.released, _built_files(assignment))
    if found:
        told = "\n".join(f"  {difference}" for difference in found)
        raise ReleaseFault(f"release/ is not what source/ makes; run 'autograder release':\n{told}")


def differences(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Return a sentence for each file, or cell of the notebook, in which `folder` is not `files`."""
    committed = _read_files(folder)
    found = [f"{name} is missing" for name in files if name not in committed]
    found += [f"{name} is no file of a release" for name in committed if name not in files]
    for name in files:
        if name in committed and committed[name] != files[name]:
            cells = _cell_differences(committed[name], files[name]) if name.endswith(".ipynb") else []
            found += cells or [f"{name} differs"]
    return found


def release_command(assignment: AssignmentFolders, check: bool = False) -> int:
    """Run `autograder release`, or with `check` its --check; prints one line and returns 0.

    Raises ReleaseFault as build_release and check_release do.
    """
    if check:
        check_release(assignment)
        print(f"release/{assignment.name} is what source/{assignment.name} makes, and it is proved.")
    else:
        files = build_release(assignment)
        print(f"release/{assignment.name} is built and proved: {', '.join(files)}")
    return 0


def _built_files(assignment: AssignmentFolders) -> dict[str, bytes]:
    """Return the files of the release as built and proved just now."""
    source = read_notebook(assignment.source)
    check_source(source)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        work = Path(folder).resolve()
        _lay_out(assignment, work)
        _run_nbgrader(work, assignment.name)
        builds = [_read_files(work / run / assignment.name) for run in RUNS]
        if builds[0] != builds[1]:
            raise ReleaseFault("two builds of the same source differ; is a clock or a random id in it?")
        prove_release(source, read_notebook(work / RUNS[0] / assignment.name / assignment.file))
    has_lesson = assignment.lesson.is_dir()
    return builds[0] | ({LESSON: built_lesson(assignment)} if has_lesson else {})


def built_lesson(assignment: AssignmentFolders) -> bytes:
    """Return the lesson's page, built twice and proved; raises ReleaseFault where its sources do not allow it."""
    try:
        lessons = lesson_of(assignment), lesson_of(assignment)
    except ModuleNotFoundError as error:
        raise UsageError(f"the lesson is built with {error.name}: pip install 'autograder[lesson]'") from None
    page, again = (lesson.page() for lesson in lessons)
    if page != again:
        raise ReleaseFault("two builds of the same lesson differ; is a clock or a random id in it?")
    prove_page(read_notebook(assignment.source), page.decode())
    return page


def lesson_of(assignment: AssignmentFolders) -> Lesson:
    """Return the lesson of an assignment, with the pictures that its own module draws."""
    from autograder.lesson.page import Lesson

    module = assignment_module(assignment.name, "lesson_pictures")
    return Lesson(assignment, module.Pictures if module else None)


def lesson_command(assignment: AssignmentFolders) -> int:
    """Run `autograder lesson`: build the lesson's page alone; prints one line and returns 0."""
    path = assignment.released / LESSON
    page = built_lesson(assignment)
    make_folder(path.parent)
    write_atomically(path, page)
    print(f"release/{assignment.name}/{LESSON} is built and proved, {len(page) / 1e6:.1f} MB")
    return 0


def _lay_out(assignment: AssignmentFolders, work: Path) -> None:
    """Copy the notebook and nbgrader's settings into an empty course folder."""
    copy = AssignmentFolders(work, assignment.name).source
    copy.parent.mkdir(parents=True)
    shutil.copyfile(assignment.source, copy)
    settings = assignment.course / "nbgrader_config.py"
    if not settings.is_file():
        raise UsageError(f"{settings} is missing; --course must name the course folder")
    shutil.copyfile(settings, work / settings.name)


def _run_nbgrader(work: Path, name: str) -> None:
    # nbgrader calls alembic by name; settings in the home folder of whoever builds must not shape the release.
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": commands, "HOME": str(work), "JUPYTER_CONFIG_DIR": str(work)}
    try:
        run = subprocess.run(
            [sys.executable, "-m", "autograder.release.generate", str(work), name],
            cwd=work, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ReleaseFault(f"nbgrader did not end within {BUILD_SECONDS} s") from None
    if run.returncode != 0:
        raise ReleaseFault(f"nbgrader's generate_assignment failed:\n{run.stderr.strip()[-2000:]}")


def _read_files(folder: Path) -> dict[str, bytes]:
    paths = sorted(folder.rglob("*")) if folder.is_dir() else []
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def _cell_differences(committed: bytes, built: bytes) -> list[str]:
    """Return which cells of the built notebook are new or differ, and which committed ones are gone."""
    try:
        old, new = (nbformat.reads(content.decode(), as_version=4) for content in (committed, built))
    except Exception:  # whatever stands there is no notebook, and the file's name says enough
        return []
    cells = {cell.id: cell for cell in old.cells}
    found = []
    for index, cell in enumerate(new.cells):
        before = cells.pop(cell.id, None)
        if before != cell:
            found.append(f"{cell_name(new, index)} {'is new' if before is None else 'differs'}")
    return found + [f"cell '{name}' is gone from the source" for name in cells]
