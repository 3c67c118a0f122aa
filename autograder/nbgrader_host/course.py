"""The course as nbgrader sees it: its settings, its folders, and its notebook as students get it.

`configure` is what nbgrader_config.py calls: it puts our steps into nbgrader's own commands. Steps are named, not
imported, so that every nbgrader command starts as fast as before.
"""

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.application import JupyterApp
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Application, Config
from traitlets.utils.importstring import import_item

from autograder.course import AssignmentFolders
from autograder.errors import UsageError

_HOST = "autograder.nbgrader_host.preprocessors."
_NBGRADER = "nbgrader.preprocessors."


def configure(c: Config) -> None:
    """Make nbgrader's ordinary commands mark through the judge and show nothing hidden."""
    _find_alembic()
    c.CourseDirectory.ignore.append("lesson")  # sources of a page, which `autograder release` puts beside the notebook
    c.GenerateAssignment.preprocessors = [
        *_named("IncludeHeaderFooter", "InstantiateTests", "LockCells"),
        f"{_HOST}BonusIsExtra",  # before checksums and the gradebook, which take the points
        *_named("ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums", "SaveCells"),
        *_named("ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums", "CheckCellMetadata"),
    ]
    c.GenerateSolution.preprocessors = [
        *_named("IncludeHeaderFooter", "LockCells", "ClearHiddenTests", "ClearOutput", "ClearMarkScheme"),
        f"{_HOST}ModelAnswer",
        *_named("Execute"),
    ]
    c.Autograde.exporter_class = f"{_HOST}SubmissionExporter"
    c.Autograde.post_convert_hook = f"{_HOST}keep_what_is_ours"
    c.Autograde.sanitize_preprocessors = [f"{_HOST}Restore"]
    c.Autograde.autograde_preprocessors = [
        f"{_HOST}Judge",  # in place of Execute: nothing of the student's runs here
        *_named("SaveAutoGrades"),
        f"{_HOST}SaveBonus",
        *_named("AssignLatePenalties", "CheckCellMetadata"),
    ]
    c.AssignLatePenalties.plugin_class = "autograder.nbgrader_host.late_policy.LatePolicy"
    c.ExportApp.plugin_class = "autograder.nbgrader_host.export.TableOfMarks"
    c.GenerateFeedback.exporter_class = f"{_HOST}FeedbackExporter"
    c.GenerateFeedback.preprocessors = [f"{_HOST}PenaltyOfNow", *_named("GetGrades")]
    c.HTMLExporter.preprocessors = [f"{_HOST}Readable"]  # formgrader's pages and the feedback, in place of the next
    c.CSSHTMLHeaderPreprocessor.enabled = False
    c.Readable.enabled = True
    c.ExchangeFactory.release_feedback = "autograder.nbgrader_host.exchange.ReleaseFeedback"
    c.ZipCollectApp.extractor_plugin = "autograder.nbgrader_host.collect.Extractor"
    c.ZipCollectApp.collector_plugin = "autograder.nbgrader_host.collect.Collector"
    c.TemplateExporter.filters = {"markdown2html": "autograder.nbgrader_host.safe_html.to_safe_html"}


def _named(*names: str) -> list[str]:
    return [_NBGRADER + name for name in names]


def _find_alembic() -> None:
    """Put the environment's commands on the path: nbgrader calls alembic by name."""
    commands = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if commands not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([commands, path])


@dataclass(frozen=True)
class NbgraderCourse:
    """A course folder with nbgrader's settings for it."""

    root: Path
    config: Config

    @cached_property
    def folders(self) -> CourseDirectory:
        """nbgrader's own view of the course folder: paths, course id, db_url."""
        config = Config({"CourseDirectory": {"root": str(self.root)}})
        config.merge(self.config)
        return CourseDirectory(config=config)

    @property
    def db_url(self) -> str:
        """Where the gradebook is: any database that SQLAlchemy reaches, a file in the course folder by default."""
        return str(self.folders.db_url)

    def autograded(self, student: str, assignment: str) -> Path:
        """Return the folder in which formgrader looks for a student's marked notebook."""
        return Path(self.folders.format_path(self.folders.autograded_directory, student, assignment))

    def submitted(self, student: str, assignment: str) -> Path:
        """Return the folder of what a student handed in."""
        return Path(self.folders.format_path(self.folders.submitted_directory, student, assignment))

    def release(self, folders: AssignmentFolders, db_url: str | None = None) -> Any:
        """Return the notebook as nbgrader releases it; with `db_url` its cells are entered in that gradebook.

        Raises UsageError when nbgrader will not: cells came or went while there are submissions.
        """
        steps = GenerateAssignment(coursedir=self.folders, config=self.config).preprocessors
        name = folders.name
        resources = {"nbgrader": {"notebook": name, "assignment": name, "student": ".", "db_url": db_url}}
        notebook = nbformat.read(folders.source, as_version=4)
        try:
            for step in steps:
                kind = import_item(step) if isinstance(step, str) else step
                if db_url is not None or kind.__name__ != "SaveCells":
                    notebook, resources = kind(config=self.config).preprocess(notebook, resources)
        except Exception as error:
            raise UsageError(f"nbgrader cannot take the notebook in source/: {error}") from error
        return notebook


def load_course(root: Path) -> NbgraderCourse:
    """Return the course with the settings that nbgrader would read there: the user's, then the course's own.

    Raises UsageError for settings that cannot be read; nbgrader would go on without them.
    """
    _find_alembic()
    app = _Settings()
    app.raise_config_file_errors = True
    try:
        app.load_config_file()
        Application.load_config_file(app, "nbgrader_config.py", path=str(root))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(
            f"nbgrader's settings for {root} cannot be read: {reason}; correct nbgrader_config.py"
        ) from error
    return NbgraderCourse(root, app.config)


class _Settings(JupyterApp):
    """Finds settings where every nbgrader command finds them."""

    name = "nbgrader"
    config_file_name = "nbgrader_config"
