"""The reference's own run, kept between runs of the command: no report shows whether it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignments.consistency_models import prepare
from autograder.assignments.consistency_models.prepare import FULL_SIZE
from autograder.judge.judge import Judge
from autograder.report import Report
from autograder.settings import Settings
from autograder.system import cache
from tests.bank import load_bank
from tests.boxes import needs_bubblewrap
from tests.notebooks import assignment, reference_notebook, write

PARTED = next(record for record in load_bank() if record.name == "first_calls_only" and record.task == "noisy_sample")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty cache of this test's own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    prepare.prepare.cache_clear()
    yield tmp_path / "cache"
    prepare.prepare.cache_clear()  # what others find is not marked as this test wants it


def marked(*paths: Path, isolation: str = "namespaces") -> list[tuple[str, object]]:
    """Return the reports of a judge that has just started, but for the seconds."""
    prepare.prepare.cache_clear()
    with Judge(assignment(), Settings(), isolation) as judge:
        reports: list[Report] = [judge.mark(path, "s") for path in paths]
    return [(replace(report, seconds=0.0).to_json(), report.figures) for report in reports]


@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.parametrize("_", [pytest.param(0, marks=needs_bubblewrap)])
def test_reports_are_the_same_with_an_empty_a_filled_and_a_broken_cache(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, _: int
) -> None:
    """To the last byte, of a submission that follows the reference and of one that parts from it in the training."""
    notebooks = [
        write(reference_notebook(), tmp_path / "right"),
        write(reference_notebook({PARTED.task: PARTED.answer}), tmp_path / "parted"),
    ]
    empty = marked(*notebooks)
    files = sorted(place.iterdir())
    assert len(files) == 2
    trained: list[int] = []
    record = prepare.record
    monkeypatch.setattr(prepare, "record", lambda *given: trained.append(given[1].steps) or record(*given))
    filled = marked(*notebooks)
    assert set(trained) <= {FULL_SIZE["steps"]}
    for path in files:
        path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))
    broken = marked(*notebooks)
    monkeypatch.setenv(cache.VARIABLE, "off")
    assert empty == filled == broken == marked(*notebooks)


@pytest.mark.parametrize(("readable", "user", "keeps"), [(False, 1000, True), (True, 1000, False), (True, 0, True)])
def test_nothing_is_kept_where_a_box_could_write_it(
    monkeypatch: pytest.MonkeyPatch, place: Path, readable: bool, user: int, keeps: bool
) -> None:
    """A box of an ordinary user without Landlock: what it can read it could write; one of root is another user."""
    monkeypatch.setattr(Judge, "_can_read_checks", lambda *_: readable)
    monkeypatch.setattr("autograder.judge.judge.os.geteuid", lambda: user)
    monkeypatch.setattr("autograder.sandbox.launch.bubblewrap.keeper_user", lambda: 0)
    with Judge(assignment(), Settings(), "process") as judge:
        assert judge._prepared.keeps is keeps
