"""Puts the students' package together: `check/`, what it imports of the grader, and the released notebook.

Modules are copied under a new name, `autograder.X` as `PACKAGE.reading.X`, and only those that are imported:
so a student's file is read by the very code that reads it for marking, and there is nothing else to be found.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder import __version__
from autograder.course import AssignmentFolders, assignment_names
from autograder.errors import GraderFault
from autograder.release.proof import prove_release
from autograder.release.source_check import read_notebook
from autograder.system.files import make_folder, write_atomically

HERE = Path(__file__).parent
OURS = HERE.parents[1]  # autograder/
CHECK = "autograder.platforms.student.check"
BUILD_SECONDS = 120
# In import statements alone: the word is also a key of the notebook's metadata.
IMPORTED = re.compile(r"^([ \t]*(?:from|import) )(autograder[\w.]*)", re.MULTILINE)


def build_student_package(assignment: AssignmentFolders, out: Path) -> Path:
    """Write the wheel for students into the folder `out` and return its path; the same sources give the same bytes.

    Raises ReleaseFault when release/ is missing or is not fit to be given out, UsageError where `out` cannot be
    written to.
    """
    make_folder(out)
    with tempfile.TemporaryDirectory(prefix="student-package-") as folder:
        tree = Path(folder)
        write_sources(assignment, tree)
        wheel = _build_wheel(tree)
        write_atomically(out / wheel.name, wheel.read_bytes())
        return out / wheel.name


def write_sources(assignment: AssignmentFolders, tree: Path) -> None:
    """Write the package's source tree, ready for `pip install`, into an empty folder.

    Raises ReleaseFault when release/ is missing or is not fit to be given out.
    """
    released, package = assignment.released / assignment.file, package_name(assignment)
    prove_release(read_notebook(assignment.source), read_notebook(released))
    for module, path in sorted(modules().items()):
        copy = tree / _place(module, path, package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        source = path.read_text(encoding="utf-8")
        copy.write_text(IMPORTED.sub(lambda found: found[1] + renamed(found[2], package), source), encoding="utf-8")
    shutil.copyfile(released, tree / package / released.name)
    shutil.copyfile(HERE / "LICENSE", tree / "LICENSE")
    words = {"ASSIGNMENT": assignment.name, "PACKAGE": package, "DISTRIBUTION": package.replace("_", "-")}
    words['version = "0"'] = f'version = "{__version__}"'
    for name in ("README.md", "pyproject.toml"):
        text = (HERE / name).read_text(encoding="utf-8")
        for word, meant in words.items():
            text = text.replace(word, meant)
        (tree / name).write_text(text, encoding="utf-8")


def package_name(assignment: AssignmentFolders) -> str:
    """Return what the package is called: the first word of the assignment's name, or all of them, and `check`.

    All of them where another assignment of the course begins with the same word.
    """
    words = assignment.name.split("-")
    others = (name.split("-") for name in assignment_names(assignment.course) if name != assignment.name)
    return "_".join([*(words if any(other[0] == words[0] for other in others) else words[:1]), "check"])


def modules() -> dict[str, Path]:
    """Return the modules that go into the package, by their names here: `check/` and what it imports of ours."""
    found: dict[str, Path] = {}
    waiting = [f"{CHECK}.{path.stem}" for path in (HERE / "check").glob("*.py")]
    while waiting:
        name = waiting.pop().removesuffix(".__init__")
        path = _file(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += _imports(path)
        if not name.startswith(CHECK):
            waiting.append(name.rpartition(".")[0] or "autograder")
    return found


def renamed(name: str, package: str) -> str:
    """Return what a module of ours is called in the package; a word that is none stays as it is."""
    if name == CHECK or name.startswith(f"{CHECK}."):
        return package + name.removeprefix(CHECK)
    return f"{package}.reading" + name.removeprefix("autograder")


def _imports(path: Path) -> set[str]:
    """Return the modules of ours that a file imports, and the names it takes from them, which may be modules too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".")[0] == "autograder"}


def _file(module: str) -> Path | None:
    stem = OURS.parent.joinpath(*module.split("."))
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _place(module: str, path: Path, package: str) -> Path:
    place = Path(*renamed(module, package).split("."))
    return place / "__init__.py" if path.name == "__init__.py" else place.with_suffix(".py")


def _build_wheel(tree: Path) -> Path:
    """Build the wheel within the source tree: where hatchling writes, nothing can be in its way."""
    out = tree / "dist"
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    out.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", build, str(out)],
        cwd=tree, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise GraderFault(f"hatchling could not build the package:\n{run.stderr.strip()[-2000:]}")
    return out / run.stdout.split()[-1]
