"""What `nbgrader zip_collect` does in this course: downloads of Canvas and Moodle, unpacked and read as `grade` does.

The archive, as it was downloaded, goes into downloaded/ASSIGNMENT/archive/.
"""

import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from autograder.errors import UsageError
from autograder.intake.archive import SUFFIX, unpack
from autograder.intake.class_folder import Roll
from autograder.nbgrader_host.gradebook_rows import student_key


class Extractor(ExtractorPlugin):  # type: ignore[misc]
    """Unpacks archives within bounds; what is unpacked already is copied."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Fill the folder of what was extracted; ends the command with a sentence where an archive is refused."""
        for folder, _, names in os.walk(archive_path):
            for path in (Path(folder, name) for name in sorted(names)):
                target = Path(extracted_path, path.relative_to(archive_path))
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.suffix.lower() == SUFFIX and path.is_file():
                    self._unpack(path, target.parent)
                else:
                    shutil.copy(path, target, follow_symlinks=False)

    def _unpack(self, archive: Path, folder: Path) -> None:
        self.log.info("Extracting from: %s", archive)
        try:
            unpack(archive, folder)
        except UsageError as error:
            self.parent.fail(str(error))


class Collector(FileNameCollectorPlugin):  # type: ignore[misc]
    """Takes the notebook that `autograder grade` would mark of each student; `named_regexp` reads other names."""

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        """Return whose file it is, and that it is the assignment's notebook; None for any other file."""
        if self.named_regexp:
            found: dict[str, Any] | None = super().collect(submitted_file)
            return found
        student = self._marked.get(os.path.abspath(submitted_file))
        return None if student is None else {"student_id": student_key(student), "file_id": f"{self._assignment}.ipynb"}

    @property
    def _assignment(self) -> str:
        return str(self.parent.coursedir.assignment_id)

    @cached_property
    def _marked(self) -> dict[str, str]:
        """The notebooks that are marked, each with its student."""
        app = self.parent
        extracted = Path(app._format_collect_path(app.extracted_directory))
        roll = Roll(extracted, Path(app.coursedir.root, "results"), self._assignment)
        return {os.path.abspath(handin.notebook): handin.student for handin in roll if handin.notebook is not None}
