"""The steps that `nbgrader autograde` and its sisters run in place of nbgrader's own; `configure` names them.

Autograde works in two rounds: from submitted/ to autograded/, then over that notebook again.

    SubmissionExporter   reads neither: what is in a submission's file is our own reader's business
    Restore              round 1: the notebook that graders look at, without verdicts yet
    Judge                round 2, in place of Execute: marks what was handed in, in a sandbox, and puts the verdicts
                         where a kernel would have put the outputs of the test cells
    SaveBonus            after nbgrader's SaveAutoGrades has read those

A fault of the grader raises, and so the student has no mark rather than a zero; nbgrader goes on with the next one.
"""

import atexit
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import nbgrader
from jinja2 import FileSystemLoader, PrefixLoader
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from traitlets import List

from autograder.assignment import DEPENDENCIES, Assignment, load_assignment, without_markers
from autograder.errors import GraderFault, UsageError
from autograder.grading.executors import fork_server
from autograder.grading.job import Job, Marking
from autograder.grading.overrides import load_overrides
from autograder.grading.worker import mark_in_worker, prepare_worker
from autograder.intake.class_folder import Handin, student_id
from autograder.nbgrader_host.course import NbgraderCourse, load_course
from autograder.nbgrader_host.exchange import KEPT
from autograder.nbgrader_host.gradebook_rows import WRITTEN, enter_bonus
from autograder.nbgrader_host.marked_notebook import add_verdicts, restored
from autograder.report import GRADER_ERROR, Report
from autograder.settings import load_settings

Converted = tuple[Any, Any]
_PAGES = Path(__file__).parent / "nbconvert"  # templates and styles


class BonusIsExtra(NbGraderPreprocessor):  # type: ignore[misc]
    """Makes a bonus worth no points of its own, so that it never raises the maximum: it is entered as extra credit."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Converted:
        """Take the points from a bonus task's test cell, and from any what only the judge asks: how tasks depend."""
        ours = cell.metadata.get("autograder", {})
        if ours.get("bonus"):
            cell.metadata.nbgrader.points = 0
        for name in DEPENDENCIES:
            ours.pop(name, None)
        return cell, resources


class ModelAnswer(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes the marker lines out of the model answer."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Converted:
        """Drop lines that are markers."""
        cell.source = without_markers(cell.source)
        return cell, resources


class SubmissionExporter(NotebookExporter):
    """Hands on an empty notebook in place of a submission: nobody but our own reader opens that file."""

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> Converted:
        """Read the file only when Restore is not there to do it."""
        if any(isinstance(step, Restore) for step in self._preprocessors):
            read: Callable[..., Converted] = self.from_notebook_node
            converted = read(new_notebook(), resources, **options)
        else:
            converted = super().from_filename(filename, resources, **options)
        return converted


class Restore(NbGraderPreprocessor):  # type: ignore[misc]
    """Puts what was handed in on the frame of the release."""

    def preprocess(self, notebook: Any, resources: Any) -> Converted:
        """Return the restored notebook in place of the empty one."""
        handin, course, assignment = _handin(self, resources)
        release = course.release(assignment)
        _check_points(release, resources["nbgrader"])
        return restored(handin.notebook, assignment, release), resources


class Judge(NbGraderPreprocessor):  # type: ignore[misc]
    """Marks a submission; what stands in the test cells afterwards is ours alone."""

    def preprocess(self, notebook: Any, resources: Any) -> Converted:
        """Mark the file in submitted/, the very bytes that `autograder grade` would mark, and enter the verdicts."""
        handin, course, assignment = _handin(self, resources)
        report = _mark(handin, Marking(assignment, load_settings(course.root), "namespaces"))
        if report.status == GRADER_ERROR:
            raise GraderFault(f"{handin.student} was not marked: {report.staff.get('fault') or report.reason}")
        report = load_overrides(assignment).apply(report)
        add_verdicts(notebook, report)
        resources["autograder"] = report
        return notebook, resources


class SaveBonus(NbGraderPreprocessor):  # type: ignore[misc]
    """Enters a bonus as extra credit."""

    def preprocess(self, notebook: Any, resources: Any) -> Converted:
        """Enter it beside what SaveAutoGrades entered."""
        report: Report = resources.pop("autograder")
        where = resources["nbgrader"]
        with Gradebook(where["db_url"]) as book:
            WRITTEN.create(book.engine, checkfirst=True)
            submitted = book.find_submission_notebook(where["notebook"], where["assignment"], where["student"])
            enter_bonus(book.db, submitted, report)
            book.db.commit()
        return notebook, resources


def keep_what_is_ours(assignment: str, student: str, notebooks: list[str]) -> None:
    """Remove what nbgrader copied beside the marked notebooks: it follows links, so it could be anything.

    The hook of Autograde, called with the paths of the submissions that it has just converted.
    """
    for notebook in notebooks:
        submission = Path(notebook)
        course = load_course(Path.cwd())
        folder = course.autograded(submission.parent.parent.name, assignment)
        for path in folder.rglob("*"):
            if not path.is_dir() and path.name not in (submission.name, *KEPT):
                path.unlink()


class Readable(CSSHTMLHeaderPreprocessor):
    """nbconvert's styles and ours, for pages of marked notebooks: lines and tables that fit."""

    def preprocess(self, notebook: Any, resources: Any) -> Converted:
        """Add the styles; leave out the number for nbgrader alone: the points stand in the cell's heading."""
        styled: Callable[..., Converted] = super().preprocess
        notebook, resources = styled(notebook, resources)
        resources["inlining"]["css"].append((_PAGES / "readable.css").read_text(encoding="utf-8"))
        for cell in notebook.cells:
            if cell.cell_type == "code" and "autograder" in cell.metadata:
                cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
        return notebook, resources


class FeedbackExporter(HTMLExporter):
    """nbgrader's feedback page, with the tasks' titles."""

    def __init__(self, **settings: Any) -> None:
        theirs = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
        loader = PrefixLoader({"nbgrader": FileSystemLoader(theirs)})  # ours extends theirs, of the same file name
        folders = [str(_PAGES), str(theirs)]
        made = {"template_name": "marked", "extra_template_basedirs": folders, "extra_loaders": [loader]}
        super().__init__(**made, **settings)  # type: ignore[no-untyped-call]


class PenaltyOfNow(AssignLatePenalties):  # type: ignore[misc]
    """nbgrader's late penalty, again when the feedback is made: a percentage of what is marked by hand, too."""

    display_data_priority: Any = List(config=True)  # as in GetGrades: nbconvert sets it for each step of a page


def _mark(handin: Handin, marking: Marking) -> Report:
    for _ in range(2):  # a worker that died is replaced once
        try:
            return _pool().submit(mark_in_worker, Job(handin, marking)).result()
        except BrokenExecutor:
            _pool.cache_clear()
    raise GraderFault(f"marking {handin.student} ended two workers")


@cache
def _pool() -> ProcessPoolExecutor:
    """Return a process that keeps its judge warm from one student to the next; nbgrader's own stays free of torch."""
    pool = ProcessPoolExecutor(1, mp_context=fork_server(), initializer=prepare_worker)
    atexit.register(pool.shutdown, cancel_futures=True)
    return pool


def _handin(step: NbGraderPreprocessor, resources: Any) -> tuple[Handin, NbgraderCourse, Assignment]:
    """Return what is being converted: the exporter is a step's parent, and its parent nbgrader's converter."""
    converter = step.parent.parent
    where = resources["nbgrader"]
    course = NbgraderCourse(Path(converter.coursedir.root), converter.config)
    notebook = course.submitted(where["student"], where["assignment"]) / f"{where['notebook']}.ipynb"
    return Handin(student_id(where["student"]), notebook), course, load_assignment(course.root, where["assignment"])


def _check_points(release: Any, where: dict[str, Any]) -> None:
    """Raise UsageError when the gradebook has other cells or points than the notebook in source/ by now."""
    with Gradebook(where["db_url"]) as book:
        cells = book.find_notebook(where["notebook"], where["assignment"]).grade_cells
        entered = {cell.name: float(cell.max_score) for cell in cells}
    metadata = [cell.metadata.get("nbgrader", {}) for cell in release.cells]
    points = {each["grade_id"]: float(each["points"]) for each in metadata if each.get("grade")}
    if entered != points:
        raise UsageError(
            "the notebook in source/ has other tasks or points than the gradebook; "
            f"run 'nbgrader generate_assignment {where['assignment']} --force' first"
        )
