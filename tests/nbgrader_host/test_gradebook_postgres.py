"""The gradebook in PostgreSQL: nothing ties it to SQLite. A server of its own, where the machine has the programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from nbgrader import api

from autograder.assignment import load_assignment
from autograder.intake.class_folder import Handin
from autograder.nbgrader_host.course import load_course
from autograder.nbgrader_host.gradebook import Gradebook
from tests.accounts import Account, accounts, give
from tests.nbgrader_courses import course_folder, grade_of, report_of, submission_of
from tests.notebooks import reference_notebook, write

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian and Ubuntu keep them off the path
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, reversed(INSTALLED))])
INITDB, PG_CTL = (shutil.which(name, path=PATH) for name in ("initdb", "pg_ctl"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(INITDB is None or PG_CTL is None, reason="PostgreSQL's server is not installed"),
    pytest.mark.skipif(os.geteuid() == 0 and shutil.which("bwrap") is None, reason="a server will not run as root"),
]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Start a server that listens at a socket in its own folder alone, and return the address of a database in it."""
    pytest.importorskip("psycopg")
    people: AbstractContextManager[list[Account]]
    people = accounts(tmp_path, "postgres") if os.geteuid() == 0 else nullcontext([])
    with people as someone:
        for person in someone:
            give(person.home, person)
        data = (someone[0].home if someone else tmp_path) / "data"
        run(someone, INITDB, "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {data} -c listen_addresses= -F"
        run(someone, PG_CTL, "-D", data, "-w", "-l", data / "log", "-o", options, "start")
        yield f"postgresql+psycopg://grader@/postgres?host={data}"
        run(someone, PG_CTL, "-D", data, "-m", "immediate", "stop")


def run(someone: list[Account], program: str | None, *arguments: str | Path) -> None:
    """Run one of the server's programs, as somebody else where we are root, which it refuses."""
    command = [str(program), *map(str, arguments)]
    if someone:
        someone[0].run(someone[0].home, *command)
    else:
        subprocess.run(command, check=True, capture_output=True, timeout=300)


def test_gradebook_may_be_in_postgresql(url: str, tmp_path: Path) -> None:
    """Marks, bonus and parts of points are entered there, a person's mark stays, what was written is known again."""
    folder = course_folder(tmp_path / "course", f"c.CourseDirectory.db_url = {url!r}")
    given = Handin("ada", write(reference_notebook(), folder / "submitted" / "ada"))
    report = report_of("ada", {"ema_update": Fraction(1, 3)})
    with Gradebook(load_course(folder), load_assignment(folder)) as gradebook:
        gradebook.write(report, given)
        with api.Gradebook(url) as book:
            assert submission_of(book, "ada").score == pytest.approx(94 + 16 / 3)
            assert submission_of(book, "ada").max_score == 120.0
            grade_of(book, "ada", "reflect_1").manual_score = 7.5
            book.db.commit()
        assert gradebook.holds(report, given)
        gradebook.write(report_of("ada"), given)
        gradebook.extend("ada", hours=48)
    with api.Gradebook(url) as book:
        assert submission_of(book, "ada").score == 117.5
        assert submission_of(book, "ada").extension == timedelta(days=2)
    assert not (folder / "gradebook.db").exists()
