"""nbgrader's exchange between real accounts of one machine: an instructor's and two students'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.nbgrader_host.exchange import KEPT
from tests.accounts import Account, accounts, give, needs_accounts, reachable_folder
from tests.boxes import needs_bubblewrap
from tests.nbgrader_courses import BIN, course_folder
from tests.notebooks import NAME

FILE = f"{NAME}.ipynb"
pytestmark = [
    pytest.mark.full,
    pytest.mark.slow,
    *needs_bubblewrap,
    *needs_accounts,
    pytest.mark.xdist_group("exchange"),
]


@dataclass(frozen=True)
class Class:
    """A course with an exchange, who teaches it, and who takes it. What is theirs only they can read."""

    exchange: Path
    grace: Account
    ada: Account
    eve: Account

    @property
    def course(self) -> Path:
        """The course folder."""
        return self.grace.home / "course"

    def do(self, person: Account, *command: str | Path) -> str:
        """Run a command as somebody: in the course folder as its instructor, else in their home."""
        run = person.run(self.course if person is self.grace else person.home, *command)
        return run.stdout + run.stderr

    def nbgrader(self, person: Account, command: str) -> str:
        """Run an nbgrader command as somebody."""
        return self.do(person, BIN / "nbgrader", command, NAME)

    def refused(self, person: Account, *command: str | Path) -> bool:
        """Whether a command fails for want of a permission."""
        run = person.run(person.home, *command, check=False)
        return run.returncode != 0 and "Permission denied" in run.stderr


@pytest.fixture(scope="module")
def people() -> Iterator[Class]:
    """Return the class; ada has handed in what she fetched, with a line of her own, and it is collected."""
    with reachable_folder() as root, accounts(root, "grace", "ada", "eve") as (grace, ada, eve):
        everybody = Class(root / "shared", grace, ada, eve)
        everybody.exchange.mkdir()
        everybody.exchange.chmod(0o777)
        settings = f"c.Exchange.root = {str(everybody.exchange)!r}\nc.CourseDirectory.course_id = {NAME!r}\n"
        course_folder(everybody.course)
        for person in (grace, ada, eve):
            (person.home / ".jupyter").mkdir()
            (person.home / ".jupyter" / "nbgrader_config.py").write_text(f"c = get_config()\n{settings}")
            give(person.home, person)
        everybody.nbgrader(grace, "release_assignment")
        everybody.nbgrader(ada, "fetch_assignment")
        everybody.do(ada, "sed", "-i", r"s/Your answer here\./Because a target lags./", f"{NAME}/{FILE}")
        everybody.nbgrader(ada, "submit")
        assert "cheating" not in everybody.nbgrader(grace, "collect")
        yield everybody


def test_what_was_handed_in_is_collected_under_its_name(people: Class) -> None:
    """The instructor has the very bytes, with time and secret, under the name of the account that handed in."""
    collected = people.do(people.grace, "cat", f"submitted/ada/{NAME}/{FILE}")
    assert collected == people.do(people.ada, "cat", f"{NAME}/{FILE}")
    assert "Because a target lags." in collected
    assert {*KEPT, FILE} <= set(people.do(people.grace, "ls", f"submitted/ada/{NAME}").split())
    assert people.do(people.grace, "ls", "submitted").split() == ["ada"]


def test_another_student_sees_nothing_of_it(people: Class) -> None:
    """Others cannot list what was handed in, whose names nobody can guess; the release they can read."""
    inbound = people.exchange / NAME / "inbound"
    (handed_in,) = people.do(people.grace, "ls", inbound).splitlines()
    name, assignment, _, secret = handed_in.split("+")
    assert (name, assignment, len(secret)) == ("ada", NAME, 12)
    assert people.refused(people.eve, "ls", inbound)
    assert people.refused(people.eve, "ls", people.course)
    assert people.do(people.eve, "ls", people.exchange / NAME / "outbound" / NAME).split()[0] == FILE


def test_feedback_reaches_its_student_alone(people: Class) -> None:
    """Who handed in fetches the page; another student fetches nothing, and cannot list what there is."""
    pages = f"feedback/ada/{NAME}"
    people.do(people.grace, "mkdir", "-p", pages)
    people.do(people.grace, "cp", *(f"submitted/ada/{NAME}/{name}" for name in KEPT), pages)
    # How such a page is made is tried elsewhere.
    people.do(people.grace, "sh", "-c", f"echo what the judge said > {pages}/{NAME}.html")
    people.nbgrader(people.grace, "release_feedback")
    people.nbgrader(people.ada, "fetch_feedback")
    people.nbgrader(people.eve, "fetch_feedback")
    assert people.do(people.ada, "sh", "-c", f"cat {NAME}/feedback/*/{NAME}.html") == "what the judge said\n"
    assert people.do(people.eve, "find", ".", "-name", "*.html") == ""
    assert people.refused(people.eve, "ls", people.exchange / NAME / "feedback")
