"""Puts the zip for Gradescope together: the two scripts, this package, and what of the course decides marks."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.assignment import Assignment
from autograder.platforms.wheel import constraints, own_wheel, zipped
from autograder.settings import load_settings
from autograder.system.files import make_folder, write_atomically

HERE = Path(__file__).parent
SCRIPTS = ("setup.sh", "run_autograder")
COURSE_FILES = ("nbgrader_config.py", "autograder.toml")


@dataclass(frozen=True)
class GradescopeSettings:
    """What is decided when the zip is made."""

    visibility: str = "visible"  # of the checks; a hidden one would hide the total from students
    isolation: str = "best"  # namespaces where Gradescope's container allows them, else process
    torch_index: str = ""  # an index that has the CPU build of torch; "": whatever pip finds


def build_gradescope_zip(assignment: Assignment, out: Path, settings: GradescopeSettings) -> Path:
    """Write the zip to `out` and return it; the same course gives the same bytes.

    Raises UsageError for a course that cannot be read, and where nothing can be written to `out`.
    """
    course = assignment.course
    load_settings(course)
    name, wheel = own_wheel()
    files = {script: (HERE / script).read_bytes() for script in SCRIPTS}
    files |= {
        name: wheel,
        "constraints.txt": constraints().encode(),
        "torch-index": f"{settings.torch_index}\n".encode(),
        "settings.json": json.dumps(asdict(settings), indent=2).encode() + b"\n",
        f"course/source/{assignment.name}/{assignment.file}": assignment.source.read_bytes(),
    }
    files |= {f"course/{file}": (course / file).read_bytes() for file in COURSE_FILES if (course / file).is_file()}
    make_folder(out.parent)
    write_atomically(out, zipped(files, SCRIPTS))
    return out
