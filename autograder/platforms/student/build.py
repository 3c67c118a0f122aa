"""Puts the students' package together: `check/`, what it imports of the grader, and the released notebook.

Modules are copied under a new name, `autograder.X` as `PACKAGE.reading.X`, and only those that are imported:
so a student's file is read by the very code that reads it for marking, and there is nothing else to be found.
"""

import ast
import re
from pathlib import Path

from jinja2 import Template

from autograder import __version__
from autograder.course import AssignmentFolders, assignment_names
from autograder.platforms.wheel import wheel
from autograder.release.proof import prove_release
from autograder.release.source_check import read_notebook
from autograder.system.files import make_folder, write_atomically

HERE = Path(__file__).parent
OURS = HERE.parents[1]  # autograder/
CHECK = "autograder.platforms.student.check"
# In import statements alone: the word is also a key of the notebook's metadata.
IMPORTED = re.compile(r"^([ \t]*(?:from|import) )(autograder[\w.]*)", re.MULTILINE)


def build_student_package(assignment: AssignmentFolders, out: Path) -> Path:
    """Write the wheel for students into the folder `out` and return its path; the same sources give the same bytes.

    Raises ReleaseFault when release/ is missing or is not fit to be given out, UsageError where `out` cannot be
    written to.
    """
    make_folder(out)
    package = package_name(assignment)
    metadata = Template((HERE / "METADATA.j2").read_text(encoding="utf-8"), trim_blocks=True)
    readme = (HERE / "README.md").read_text(encoding="utf-8").replace("ASSIGNMENT", assignment.name)
    about = {
        "METADATA": metadata.render(package=package, version=__version__, assignment=assignment.name, readme=readme),
        "entry_points.txt": f"[console_scripts]\ncheck = {package}.cli:main\n",
        "licenses/LICENSE": (HERE / "LICENSE").read_text(encoding="utf-8"),
    }
    name, content = wheel(package, __version__, _files(assignment, package), about)
    write_atomically(out / name, content)
    return out / name


def _files(assignment: AssignmentFolders, package: str) -> dict[str, bytes]:
    """Return the files of the package by their paths in it; raises ReleaseFault where release/ is not fit for it."""
    released = assignment.released / assignment.file
    prove_release(read_notebook(assignment.source), read_notebook(released))
    files = {f"{package}/{released.name}": released.read_bytes()}
    for module, path in sorted(modules().items()):
        source = path.read_text(encoding="utf-8")
        copy = IMPORTED.sub(lambda found: found[1] + renamed(found[2], package), source)
        files[_place(module, path, package)] = copy.encode()
    return files


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


def _place(module: str, path: Path, package: str) -> str:
    place = renamed(module, package).replace(".", "/")
    return f"{place}/__init__.py" if path.name == "__init__.py" else f"{place}.py"
