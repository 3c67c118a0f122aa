"""Runs the hidden checks with pytest and collects a verdict on each.

A check is a test with `@points`. Its share of the task's points is its weight among the task's checks; what the task is
worth stands in the notebook, and only there. What the checks of an assignment share stands in their conftest.py.
"""

import io
import itertools
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from functools import partial
from pathlib import Path

import hypothesis
import pytest

from autograder.checking.check import seed_of
from autograder.checking.student import Student
from autograder.judge.run import Outcome, Prepared, Run
from autograder.report import CheckResult
from autograder.verdict import CheckFailed, Status

# Parts of pytest that a check does not need. The last two collect garbage at the end, a good part of a marking's time.
UNUSED = (
    "cacheprovider",
    "terminal",
    "junitxml",
    "pastebin",
    "doctest",
    "unittest",
    "stepwise",
    "debugging",
    "logging",
    "faulthandler",
    "unraisableexception",
    "threadexception",
)


class ChecksPlugin:
    """Gives the checks what they ask for, and keeps in the run what came of each."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stood_in = False  # for a function, in the checks of the present task

    @pytest.fixture(scope="session")
    def run(self) -> Run:
        """The marking that the checks are part of."""
        return self._run

    @pytest.fixture(scope="session")
    def prepared(self) -> Prepared:
        """What the assignment has computed once for all submissions."""
        found: Prepared = self._run.prepared
        return found

    @pytest.fixture(scope="module")
    def task(self, request: pytest.FixtureRequest) -> str:
        """The task whose checks these are."""
        return task_of(request.path)

    @pytest.fixture(scope="module")
    def student(self, task: str) -> Iterator[Student]:
        """The submission's functions, where the task's own stands in the notebook."""
        with self._run.students.open(task) as student:
            yield student
            self._stood_in |= student.stood_in

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the marker known."""
        config.addinivalue_line("markers", "points(weight, value=False): a hidden check")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Seed Hypothesis for each check from the submission, so that a report depends on nothing else."""
        self._keep(items)
        for item in items:
            if isinstance(item, pytest.Function) and hasattr(item.obj, "hypothesis"):
                check = item.name.removeprefix("test_")
                hypothesis.seed(seed_of(self._run.seed, task_of(item.path), check))(item.obj)
                # There is no database, but its key, a digest of the source, would be computed each time.
                item.obj._hypothesis_internal_database_key = b""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a check file that cannot be imported: our own fault."""
        if report.failed:
            self._run.broken.append(str(report.longrepr)[-4000:])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the checks of one task after the other, of a task again where it has to be."""
        files = [list(items) for _, items in itertools.groupby(session.items, key=lambda item: item.path)]
        for items, after in itertools.zip_longest(files, [found[0] for found in files[1:]]):
            task, check = task_of(items[0].path), partial(self._check, items, after)
            check()
            if self._stood_in and self._run.lost_points(task):
                self._run.try_own_way(task, check)
        return True

    def _check(self, items: list[pytest.Item], after: pytest.Item | None) -> None:
        """Run the checks of one task; again where it has to be."""
        while True:
            self._stood_in = False
            for item, following in itertools.zip_longest(items, items[1:], fillvalue=after):
                items[0].config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if not self._run.students.run_again():
                return
            self._run.forget(task_of(items[0].path))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Turn what a check raised, or did not, into an outcome."""
        yield
        mark = item.get_closest_marker("points")
        if mark is None or call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
            return
        error = call.excinfo.value if call.excinfo is not None else None
        self._run.outcomes.setdefault(task_of(item.path), []).append(_outcome(item, mark, error))

    def _keep(self, items: list[pytest.Item]) -> None:
        """Take the kept tasks from the run, with their outcomes from the report; none where their checks are others."""
        run = self._run
        marks: dict[str, dict[str, pytest.Mark]] = {task: {} for task in run.kept}
        for item in items:
            mark = item.get_closest_marker("points")
            if mark is not None and task_of(item.path) in marks:
                marks[task_of(item.path)][_check_id(item)] = mark
        if any(marks[task].keys() != {check.id for check in found.checks} for task, found in run.kept.items()):
            run.kept = {}
        items[:] = [item for item in items if task_of(item.path) not in run.kept]
        for task, found in run.kept.items():
            run.outcomes[task] = [_kept(check, marks[task][check.id]) for check in found.checks]


def run_checks(run: Run, tasks: list[str]) -> None:
    """Run the hidden checks of these tasks, in this order. What comes of them stands in the run afterwards."""
    checks = run.assignment.checks
    files = [str(checks / f"test_{task}.py") for task in tasks]
    options = ["--assert=plain", "--import-mode=importlib", "-c", os.devnull]
    options += [f"--rootdir={checks}", f"--confcutdir={checks}"]  # no conftest.py of a folder above them
    for plugin in UNUSED:
        options += ["-p", f"no:{plugin}"]
    silence = io.StringIO()
    kept = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        with redirect_stdout(silence), redirect_stderr(silence):
            code = pytest.main([*options, *files], plugins=[ChecksPlugin(run)])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            run.broken.append(f"pytest ended with {code!r}: {silence.getvalue()[-4000:]}")
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update({name: value for name, value in kept.items() if value is not None})


def task_of(path: Path) -> str:
    """Return the task whose checks a file holds."""
    return path.stem.removeprefix("test_")


def _check_id(item: pytest.Item) -> str:
    return item.name.removeprefix("test_")


def _kept(check: CheckResult, mark: pytest.Mark) -> Outcome:
    weight, value = _weight(mark)
    return Outcome(check.id, check.title, weight, value, check.status, check.message, check.misconception, check.earned)


def _weight(mark: pytest.Mark) -> tuple[Fraction, bool]:
    return Fraction(mark.args[0]), bool(mark.kwargs.get("value", False))


def _outcome(item: pytest.Item, mark: pytest.Mark, error: BaseException | None) -> Outcome:
    function = getattr(item, "obj", None)
    title = (getattr(function, "__doc__", "") or item.name).strip().splitlines()[0]
    weight, value = _weight(mark)
    check_id = _check_id(item)
    failed = _verdict(error)
    if error is None:
        return Outcome(check_id, title, weight, value, Status.PASSED, earned=Fraction(1))
    if failed is None:
        fault = f"{type(error).__name__}: {error}"
        message = "The grader failed at this check. No points are lost; the course staff can see why."
        return Outcome(check_id, title, weight, value, Status.GRADER_ERROR, message, fault=fault)
    return Outcome(check_id, title, weight, value, failed.status, failed.message, failed.misconception, failed.earned)


def _verdict(error: BaseException | None) -> CheckFailed | None:
    """Return the failed check behind an exception; Hypothesis may have wrapped it."""
    if isinstance(error, CheckFailed):
        return error
    if isinstance(error, AssertionError):
        return CheckFailed(
            Status.WRONG, str(error).splitlines()[0] if str(error) else "The result is not the expected one."
        )
    for inner in getattr(error, "exceptions", ()):
        if (found := _verdict(inner)) is not None:
            return found
    return None
