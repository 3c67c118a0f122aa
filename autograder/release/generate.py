"""nbgrader's own generate_assignment in a folder of its own: `python -m autograder.release.generate FOLDER NAME`.

A process of its own, since the converter changes the working directory and logs to the terminal. It runs twice, into
`first` and `second`, with one database that the second run finds filled: so the proof that both are equal covers a
release that is built again.
"""

import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

RUNS = ("first", "second")


def generate(folder: Path, name: str, release_directory: str) -> None:
    """Build the student version of folder/source/NAME into folder/release_directory/NAME.

    The course's settings hold, but for the paths and the database, which stay in `folder`.
    Raises nbgrader's NbGraderException when it gives up.
    """
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.source_directory = "source"
    config.CourseDirectory.release_directory = release_directory
    config.CourseDirectory.assignment_id = name
    config.CourseDirectory.db_url = f"sqlite:///{folder}/gradebook.db"
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.start()


if __name__ == "__main__":
    for run in RUNS:
        generate(Path(sys.argv[1]), sys.argv[2], run)
