"""`autograder doctor`: what it tries, what it says, and its exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder import cli
from autograder.commands import diagnosis
from autograder.commands.diagnosis import advice, doctor_command
from autograder.errors import IsolationMissing
from autograder.sandbox import bubblewrap, isolation_selftest, seccomp
from autograder.sandbox.isolation_selftest import NAMESPACES, WALLS, Tried, Wall, try_walls
from tests.boxes import COURSE, needs_bubblewrap, needs_linux

DOWN = Wall("a wall that is not there", "reading a file that lies open", "refused(open, '/proc/self/maps')")


@pytest.mark.bubblewrap
class TestRealWalls:
    """Real boxes."""

    pytestmark = needs_bubblewrap

    def test_every_wall_stands(self) -> None:
        """On a machine with bubblewrap each namespace and each wall stands, tried for real."""
        tried = try_walls("namespaces", COURSE)
        assert [wall.name for wall in tried if not wall.stands] == []
        assert len(tried) == len(NAMESPACES) + len(WALLS) + 2

    def test_wall_that_is_down_is_found_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wall that lets something through, and one under which the box ends, are told of as down."""
        ending = Wall("an end", "the process ends", "os._exit(0)")
        monkeypatch.setattr(isolation_selftest, "WALLS", (DOWN, ending))
        monkeypatch.setattr(isolation_selftest, "NAMESPACES", ())
        tried = try_walls("namespaces", COURSE)
        assert [wall.stands for wall in tried] == [False, False, True, True]


@needs_linux
def test_shared_namespaces_are_found_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question after a namespace is a real one: without namespaces its answer is no."""
    monkeypatch.setattr(isolation_selftest, "WALLS", ())
    keeper = isolation_selftest.Keeper(isolation_selftest.Plan("process", COURSE, ())).start()
    tried = isolation_selftest._namespace(keeper, "net")
    keeper.stop()
    assert not tried.stands


def test_machine_without_bubblewrap_gets_advice_and_code_5(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No bwrap: the walls that remain are tried, the sentence says what to install, the exit code is 5."""
    asked = []

    def tried(isolation: str, course: Path) -> list[Tried]:
        asked.append(isolation)
        if isolation == "namespaces":
            raise IsolationMissing("bubblewrap (the command bwrap) is not installed")
        return [Tried("network", "sockets", True), Tried("hidden checks", "files", False)]

    monkeypatch.setattr(diagnosis, "try_walls", tried)
    monkeypatch.setenv("PATH", "/nowhere")
    assert doctor_command(COURSE) == 5
    out = capsys.readouterr().out
    assert asked == ["namespaces", "process"]
    assert "apt-get install bubblewrap" in out
    assert "DOWN" in out
    assert "--isolation process" in out
    assert "\x1b" not in out


def test_wall_that_is_down_is_code_5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Namespaces with a hole do not count as isolation."""
    monkeypatch.setattr(diagnosis, "try_walls", lambda *_: [Tried("network", "sockets", False)])
    assert doctor_command(COURSE) == 5


def test_limits_and_versions_are_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every limit of the settings is there with its unit, and so is what the sandbox is made of."""
    monkeypatch.setattr(diagnosis, "try_walls", lambda *_: [Tried("network", "sockets", True)])
    assert doctor_command(COURSE) == 0
    out = capsys.readouterr().out
    words = ("2048 MiB", "120.0 s", "64 KiB", "processes", "bubblewrap", "Landlock", "seccomp", "torch", "128 MiB")
    for word in words:
        assert word in out


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, "AppArmor"),
        ({"kernel/unprivileged_userns_clone": "0"}, "unprivileged_userns_clone=1"),
        ({"user/max_user_namespaces": "0"}, "max_user_namespaces=15000"),
    ],
)
@needs_linux
def test_advice_knows_the_kernels_switches(monkeypatch: pytest.MonkeyPatch, setting: dict[str, str], word: str) -> None:
    """A switch of the kernel's that forbids user namespaces is named with how to change it."""
    monkeypatch.setattr(diagnosis, "_kernel", lambda name: setting.get(name, ""))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert any(word in line for line in advice())


@needs_linux
def test_advice_names_an_old_bubblewrap_and_a_missing_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that bwrap does not know, and a missing libseccomp, have a sentence each."""
    monkeypatch.setattr(diagnosis, "_bubblewrap_version", lambda: (0, 6, 1))
    monkeypatch.setattr(diagnosis.shutil, "which", lambda name: "/usr/bin/bwrap")
    monkeypatch.setattr(diagnosis, "filter_program", lambda: b"")
    text = " ".join(advice())
    assert "0.6.1, expected 0.8" in text
    assert "libseccomp2" in text


@needs_linux
def test_keeper_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libseccomp there is no half-closed box but a sentence and code 5."""
    monkeypatch.setattr("autograder.sandbox.launch.filter_program", lambda *_: b"")
    with pytest.raises(IsolationMissing, match="libseccomp2"):
        isolation_selftest.Keeper(isolation_selftest.Plan("namespaces", COURSE, ())).start()


def test_every_forbidden_call_is_known_or_new() -> None:
    """A misspelt name would close nothing: libseccomp knows each call that it is told to refuse."""
    library = seccomp._library()
    if library is None:
        pytest.skip("libseccomp is not installed")
    unknown = [name for name in seccomp.FORBIDDEN if not known(library, name)]
    assert set(unknown) <= {"memfd_secret", "mount_setattr", "quotactl_fd", "process_madvise", "pidfd_getfd"}


def known(library: object, name: str) -> bool:
    """Say whether libseccomp has a number for a call on this machine."""
    try:
        return library.resolve_syscall(library.system_arch(), name) != -1  # type: ignore[attr-defined]
    except (ValueError, OSError):
        return False


def test_a_machine_without_a_course_is_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever sets up a machine has no course there yet; a folder that is named must be one all the same."""
    monkeypatch.setattr(diagnosis, "try_walls", lambda *_: [Tried("network", "sockets", True)])
    monkeypatch.chdir(tmp_path)
    assert cli.main(["doctor"]) == 0
    assert "the default limits" in capsys.readouterr().out
    assert cli.main(["doctor", "--course", str(tmp_path / "missing")]) == 2
    assert "missing is no folder" in capsys.readouterr().err


def test_environment_of_a_box_is_what_the_doctor_expects() -> None:
    """The doctor's list of variables is the sandbox's own."""
    assert set(bubblewrap.ENVIRONMENT) <= set(isolation_selftest.KNOWN)
