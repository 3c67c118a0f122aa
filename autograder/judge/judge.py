"""Marks one submission: reads it, opens its boxes, runs the hidden checks, returns the report.

The judge is the trusted side. It holds the checks, the reference and every input; student code runs in boxes behind a
keeper (sandbox/keeper.py) and is reached only over the wire. A `Judge` keeps its keeper warm from one submission to
the next.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from autograder import __version__
from autograder.assignment import Assignment
from autograder.box.limits import keep_freed_memory
from autograder.box.messages import Read
from autograder.course import secrets
from autograder.errors import GraderFault
from autograder.intake.submission import Submission, read_submission
from autograder.judge.lazy_imports import lazy_imports_of
from autograder.judge.pytest_plugin import run_checks
from autograder.judge.regrade import Regrade, with_kept
from autograder.judge.run import Outcome, Run, prepared
from autograder.judge.session import Session
from autograder.report import GRADED, GRADER_ERROR, Report, TaskResult, in_order
from autograder.sandbox.box_failure import KeeperLost
from autograder.sandbox.keeper import Keeper, Plan
from autograder.sandbox.launch import Launched
from autograder.settings import Settings
from autograder.system import affinity
from autograder.verdict import Status

VERSIONS = ("torch", "numpy", "pytest", "hypothesis", "nbgrader")
MIB = 1 << 20
BROKEN = "The grader failed at a check. No points are lost; the course staff can see why."
STARTS = 3  # of a keeper that others kill before it has seen any student code


class Judge:
    """Marks submissions of one assignment, one after the other. Use as a context manager."""

    def __init__(
        self,
        assignment: Assignment,
        settings: Settings,
        isolation: str = "namespaces",
        launched: Launched | None = None,  # the first keeper's process, where it was started ahead
    ) -> None:
        self.assignment = assignment
        self.settings = settings
        self.isolation = isolation
        self._prepared = prepared(assignment)
        self._keeper: Keeper | None = None
        self._launched = launched
        self._lazy_imports: list[str] = []  # of the submission that is marked
        self._checks_readable = False
        keep_freed_memory()
        torch.set_num_threads(1)  # the boxes compute with one thread; a sum in another order would round differently

    def __enter__(self) -> Judge:
        """Start the keeper, which comes up while the judge reads the submission; raises IsolationMissing."""
        self._start_keeper()
        return self

    def __exit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.stop()

    def mark(self, path: Path, student: str, regrade: Regrade | None = None) -> Report:
        """Return the report on one notebook; `regrade`: of some tasks, with the others as they were marked before.

        Raises Unreadable for a file that is no notebook of this assignment, GraderFault for a fault of ours,
        IsolationMissing where the sandbox cannot be had.
        """
        started = time.monotonic()
        submission = read_submission(path, self.assignment)
        session, run = self._run(submission, regrade.kept if regrade is not None else {})
        outcomes = [outcome for found in run.outcomes.values() for outcome in found]
        broken = any(outcome.status is Status.GRADER_ERROR for outcome in outcomes)
        report = Report(
            assignment=self.assignment.name,
            student=student,
            status=GRADER_ERROR if broken else GRADED,
            reason=BROKEN if broken else None,
            tasks=tuple(map(run.result, self.assignment.tasks)),
            isolation=self.isolation,
            seconds=time.monotonic() - started,
            file=submission.file,
            sha256=submission.sha256,
            versions=versions(),
            warnings=(*submission.notices, *in_order(session.state.notices.values())),
            checks_readable=self._checks_readable,
            staff=_for_staff(session, outcomes),
            figures=run.figures,
        )
        return with_kept(regrade, report) if regrade is not None and run.kept else report

    def _run(self, submission: Submission, kept: Mapping[str, TaskResult]) -> tuple[Session, Run]:
        tasks = {task.id: task.needs for task in self.assignment.tasks}
        session = Session(self._usable_keeper, submission, self.settings, tasks, self.assignment.elsewhere)
        examples = self.settings.feedback == "example"
        run = Run(self.assignment, session, submission.sha256, self._prepared, examples, kept)
        self._prepared.complete()
        self._lazy_imports = lazy_imports_of(cell.source for cell in submission.cells)
        # Here rather than in the first check: a sandbox that is not to be had is no check's outcome.
        self._usable_keeper()
        with affinity.only_one(), session:
            run_checks(run, list(tasks))
        return session, run

    def _usable_keeper(self) -> Keeper:
        """Return a keeper that is ready for a box: where the old one is not usable, a new one."""
        for _ in range(STARTS):
            keeper = self._keeper if self._keeper is not None and self._keeper.usable else self._start_keeper()
            with contextlib.suppress(KeeperLost):
                keeper.import_ahead(self._lazy_imports)
                return keeper
        raise GraderFault(f"the keeper was killed {STARTS} times while it started; is the machine short of memory?")

    def _start_keeper(self) -> Keeper:
        if self._keeper is not None:
            self._keeper.stop()
        settings = self.settings
        plan = Plan(
            isolation=self.isolation,
            course=self.assignment.course,
            prelude=tuple(cell.source for cell in self.assignment.prelude),
            givens=self._prepared.givens,
            memory_bytes=settings.memory_mib * MIB,
            processes=settings.processes,
            cpu_seconds=int(settings.submission_seconds) + 30,
            kept_output_bytes=settings.output_kib * 1024,
            elsewhere=tuple(sorted(self.assignment.elsewhere)),
            functions=tuple(task.id for task in self.assignment.tasks if task.answer is not None),
        )
        launched, self._launched = self._launched, None
        self._keeper = Keeper(plan).start(launched)
        if self.isolation == "process":
            self._checks_readable = self._can_read_checks(self._keeper)
        # A box that can read the checks with this user's rights could also write what is kept.
        self._prepared.keeps = not self._checks_readable or os.geteuid() == 0
        return self._keeper

    def _can_read_checks(self, keeper: Keeper) -> bool:
        """Ask a box with no student code in it whether the checks lie open to it."""
        with keeper.open_box() as box:
            paths = [str(folder) for folder in secrets(self.assignment.course)]
            return box.request(Read(paths), 10.0).yes


def _for_staff(session: Session, outcomes: list[Outcome]) -> dict[str, object]:
    """Return what only staff may read: print-outs, suspicions, faults of ours, times."""
    return {
        "suspicions": session.state.suspicions,
        "faults": [f"{outcome.id}: {outcome.fault}" for outcome in outcomes if outcome.fault],
        "keepers_lost": session.keepers_lost,
        "tried_again": session.retries.tasks,
        "calls_seconds": round(session.state.clock.calls_seconds, 3),
        "cells_seconds": round(session.state.clock.cells_seconds, 3),
        "output": session.outputs,
    }


def versions() -> dict[str, str]:
    """Return the versions that a mark may depend on."""
    found = {name: importlib.metadata.version(name) for name in VERSIONS}
    return {"autograder": __version__, "python": platform.python_version(), **found}
