"""What is mounted in a box, for courses and environments in inconvenient places."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.errors import IsolationMissing, UsageError
from autograder.sandbox import bubblewrap
from autograder.sandbox.bubblewrap import covers, keeper_user, shown
from tests.accounts import reachable_folder
from tests.boxes import Bench, needs_bubblewrap

CANARY = "canary-52c9"


def environment(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Add folders to what Python's environment is made of."""
    known = bubblewrap.python_folders()
    monkeypatch.setattr(bubblewrap, "python_folders", lambda: [*known, *folders])


def secret(folder: Path) -> Path:
    """Make a folder with a canary in it."""
    folder.mkdir(parents=True, mode=0o755)
    (folder / "secret.py").write_text(CANARY)
    return folder


FIND = f"""
found = []
for top in {{tops}}:
    for parent, _, names in os.walk(top):
        for name in names:
            found.append(os.path.join(parent, name))
print(json.dumps([name for name in found if {CANARY!r} in open(name, errors="replace").read()]))"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that a box's user could reach."""
    with reachable_folder() as folder:
        yield folder


class TestRealBoxes:
    """Real boxes in odd places."""

    pytestmark = needs_bubblewrap

    @pytest.mark.parametrize("named", ["site", "link"])
    def test_nothing_hidden_shows_inside_a_mounted_folder(
        self, open_to_all: Path, monkeypatch: pytest.MonkeyPatch, named: str
    ) -> None:
        """A wheel in site-packages, a course, results and what is kept are covered, also if site-packages is a link."""
        site = open_to_all / "site"
        package, course, results, kept = (secret(site / name) for name in ("autograder", "course", "results", "cache"))
        (site / "other.py").write_text("mine = 1")
        for piece in bubblewrap.BOX_FILES:
            source = bubblewrap.PACKAGE / piece
            (shutil.copytree if source.is_dir() else shutil.copy)(source, package / piece)
        (open_to_all / "link").symlink_to(site)
        environment(monkeypatch, open_to_all / named)
        monkeypatch.setattr(bubblewrap, "PACKAGE", package)
        monkeypatch.setattr(bubblewrap.cache, "folder", lambda: kept)
        bench = Bench(course=course, secret_folders=(results,))
        tops = [str(open_to_all / name) for name in ("site", "link", named)]
        found = bench.run(FIND.format(tops=tops))
        other = bench.run(f"print(json.dumps(os.path.exists({str(open_to_all / named / 'other.py')!r})))")
        bench.stop()
        assert (found.kind, found.seen) == (None, [])
        assert other.seen is True

    def test_environment_in_the_course_shows_and_the_course_does_not(
        self, open_to_all: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """.venv is mounted on top of its covered course, even where the course lies in a mounted folder."""
        outer = open_to_all / "outer"
        course = secret(outer / "course")
        venv = course / ".venv"
        venv.mkdir()
        (venv / "module.py").write_text("mine = 1")
        environment(monkeypatch, outer, venv)
        bench = Bench(course=course)
        found = bench.run(FIND.format(tops=[str(outer)]))
        first = bench.keeper.pid
        listed = bench.run(f"print(json.dumps(os.listdir({str(course)!r}) + os.listdir({str(venv)!r})))")
        bench.stop()
        assert (found.kind, found.seen) == (None, [])
        assert listed.seen == [".venv", "module.py"]
        assert bench.keeper.pid == first  # what lies in /tmp and is mounted does not count as left behind


def test_environment_that_is_the_course_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A course folder cannot be hidden and be the environment; the message says where to install instead."""
    environment(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match=r"folder of its own"):
        bubblewrap.command(bubblewrap.covered(tmp_path), 3)


def test_what_is_kept_is_hidden_before_there_is_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is missing when a keeper starts could not be covered; where nothing is kept, nothing is hidden."""
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path / "new" / "cache"))
    assert (tmp_path / "new" / "cache").resolve() in bubblewrap.covered(tmp_path)
    assert (tmp_path / "new" / "cache").is_dir()
    monkeypatch.setenv("AUTOGRADER_CACHE", "off")
    assert bubblewrap.covered(tmp_path) == (tmp_path.resolve(), bubblewrap.PACKAGE)


def test_every_cover_is_made_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is empty must stay empty: an ordinary user's box owns the memory that bwrap covers things with."""
    monkeypatch.setattr(bubblewrap, "bubblewrap", lambda: "bwrap")
    environment(monkeypatch, tmp_path)
    course = secret(tmp_path / "course")
    options = bubblewrap.command(bubblewrap.covered(course), 3)
    made = covers(options)
    assert str(course) in made
    remounted = [folder for option, folder in itertools.pairwise(options) if option == "--remount-ro"]
    assert {"/", "/dev", *made} == set(remounted)


def test_missing_bubblewrap_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bwrap there is a sentence with the package's name and the way without it."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(IsolationMissing, match=r"apt-get install bubblewrap.*--isolation process"):
        bubblewrap.bubblewrap()


def test_only_root_changes_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's keepers are users that no machine hands out; an ordinary user has a namespace instead."""
    monkeypatch.setattr(bubblewrap.os, "geteuid", lambda: 0)
    assert keeper_user() >= 0x7000_0000
    monkeypatch.setattr(bubblewrap.os, "geteuid", lambda: 1000)
    assert keeper_user() == 0


def test_allowing_walls_leave_out_what_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only allowing is possible, every entry around a hidden folder is allowed, and no folder above it."""
    course = secret(tmp_path / "course")
    venv = course / ".venv"
    package = secret(venv / "lib" / "autograder")
    (venv / "lib" / "torch").mkdir()
    (venv / "bin").mkdir()
    environment(monkeypatch, venv)
    allowed = shown((course, package))
    assert {venv / "bin", venv / "lib" / "torch"} <= set(allowed)
    assert not any(hidden.is_relative_to(path) for path in allowed for hidden in (package, course / "secret.py"))
