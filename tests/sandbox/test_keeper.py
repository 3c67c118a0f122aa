"""The walls, tried from inside a box: the keeper, the rights, the network, the files."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder.box.messages import Model
from autograder.sandbox.bubblewrap import PACKAGE
from autograder.system.interrupt import held_back
from tests.boxes import COURSE, MOUNTED, Bench, needs_bubblewrap

pytestmark = needs_bubblewrap
CANARY = "canary-7f3a1c"


@pytest.fixture(scope="module", params=[False, True], ids=["box", "copy"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A keeper that was started with a secret in its judge's environment, and by a judge that holds Ctrl-C back.

    Its boxes are attacked from, and copies of them.
    """
    os.environ["GITHUB_TOKEN"] = CANARY
    with held_back():
        bench = Bench(copies=request.param)
    del os.environ["GITHUB_TOKEN"]
    yield bench
    bench.stop()


# --- the keeper ---


def test_given_models_stand_beside_the_prelude() -> None:
    """Built from the prelude's own classes with the weights that the judge holds, as they are told to be."""
    prelude = "import torch\nclass Own(torch.nn.Linear):\n    def __init__(self, wide): super().__init__(wide, 1)"
    weights = {"weight": torch.ones(1, 2), "bias": torch.tensor([3.0])}
    given = Model("Own", weights, {"wide": 2}, requires_grad=False, training=False)
    bench = Bench(prelude=(prelude,), givens={"known": given})
    try:
        source = "print(json.dumps([known(torch.ones(2)).item(), known.training, known.weight.requires_grad]))"
        assert bench.run(source).seen == [5.0, False, False]
    finally:
        bench.stop()


@pytest.mark.parametrize("how", ["os.kill(1, n)", "syscall(234, 131, 1, 1, n)", "os.killpg(1, n)"])
def test_no_signal_reaches_the_keeper(bench: Bench, how: str) -> None:
    """Each of the 64 signals leaves PID 1 as it was, and it opens the next box."""
    bench.run("pass")
    before = bench.keeper.pid
    bench.run(f"for n in range(1, 65):\n    try:\n        {how}\n    except OSError:\n        pass")
    assert bench.run("print(1)").seen == 1
    assert (bench.keeper.pid, bench.keeper.usable) == (before, True)


def test_no_signal_is_held_back_in_a_box(bench: Bench) -> None:
    """What a student's own code does with signals is the same whoever marks it."""
    assert bench.run("import signal\nprint(json.dumps(list(signal.pthread_sigmask(signal.SIG_BLOCK, ()))))").seen == []


def test_kill_of_everyone_leaves_the_keeper(bench: Bench) -> None:
    """kill(-1) and kill(0) end what the box has started, and nothing else."""
    before = bench.keeper.pid
    bench.run("os.kill(-1, 9)")
    bench.run("os.kill(0, 9)")
    bench.run("os.kill(-1, 19)")
    assert bench.run("print(1)").seen == 1
    assert bench.keeper.pid == before


KEEPER = {
    "ptrace": "check(libc.ptrace(16, 1, 0, 0))",
    "mem": "open('/proc/1/mem', 'rb')",
    "environ": "open('/proc/1/environ')",
    "fd": "os.listdir('/proc/1/fd')",
    "root": "os.listdir('/proc/1/root')",
    "maps": "open('/proc/1/maps').read()",
    "oom": "open('/proc/1/oom_score_adj', 'w')",
    "autogroup": "open('/proc/1/autogroup', 'w')",
    "process_vm_readv": "check(libc.process_vm_readv(1, None, 0, None, 0, 0))",
    "process_vm_writev": "check(libc.process_vm_writev(1, None, 0, None, 0, 0))",
    "pidfd_getfd": "syscall(438, 438, os.pidfd_open(1), 0, 0)",
    "pidfd_send_signal": "syscall(424, 424, os.pidfd_open(1), 9, 0, 0)",
    "prlimit": "import resource; resource.prlimit(1, resource.RLIMIT_NOFILE, (1, 1))",
    "affinity": "os.sched_setaffinity(1, {0})",
    "scheduler": "os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))",
    "nice": "os.setpriority(os.PRIO_PROCESS, 1, 19)",
    "nice_group": "os.setpriority(os.PRIO_PGRP, 0, 19)",
    "nice_user": "os.setpriority(os.PRIO_USER, 0, 19)",
    "io_nice": "syscall(251, 30, 3, 0, 3 << 13)",
    "process_madvise": "syscall(440, 440, os.pidfd_open(1), 0, 0, 21, 0)",
    "kcmp": "syscall(312, 272, 1, os.getpid(), 0, 0, 0)",
}


@pytest.mark.parametrize("way", KEEPER)
def test_keeper_is_out_of_reach(bench: Bench, way: str) -> None:
    """Reading, tracing and slowing PID 1 is refused."""
    assert bench.run(KEEPER[way]).kind == "blocked"


def test_box_stands_in_a_group_of_its_own(bench: Bench) -> None:
    """Group and session of a box are not the keeper's: what a call does to its group stays in the box."""
    assert bench.run("print(json.dumps([os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()]))").seen == [True] * 2


def test_box_holds_no_descriptor_but_its_own(bench: Bench) -> None:
    """Only nothing to read, the output pipe and the box's own channel are open: not the control channel."""
    source = """
        kinds = {n: os.readlink(f"/proc/self/fd/{n}").split(":")[0]
                 for n in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{n}")}
        print(json.dumps(kinds))"""
    seen = bench.run("if True:" + source).seen
    assert seen == {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket"}


# --- rights ---


def test_rights_are_gone(bench: Bench) -> None:
    """No capability is held, none can be gained, and the filter is in place."""
    source = "print(json.dumps(dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines())))"
    status = bench.run(source).seen
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_box_is_an_unprivileged_user(bench: Bench) -> None:
    """No id is root's, real, effective or saved, nor is any group; under root it is a user nobody else is."""
    ids = bench.run("print(json.dumps([*os.getresuid(), *os.getresgid(), *os.getgroups()]))").seen
    assert 0 not in ids
    assert os.geteuid() != 0 or ids[0] >= 0x7000_0000


@pytest.mark.parametrize("kind", ["pid", "net", "ipc", "uts", "mnt", "user"])
def test_namespace_is_its_own(bench: Bench, kind: str) -> None:
    """Each namespace is another one than the judge's; under root the user namespace is the machine's, by design."""
    inside = bench.run(f"print(json.dumps(os.readlink('/proc/self/ns/{kind}')))").seen
    own = inside != os.readlink(f"/proc/self/ns/{kind}")
    assert own == (kind != "user" or os.geteuid() != 0)


CALLS = {
    "keyctl": "syscall(250, 219, 0, -3, 1)",
    "add_key": "syscall(248, 217, b'user', b'x', b'y', 1, -3)",
    "bpf": "syscall(321, 280, 0, 0, 0)",
    "perf_event_open": "syscall(298, 241, 0, 0, -1, -1, 0)",
    "userfaultfd": "syscall(323, 282, 0)",
    "io_uring_setup": "syscall(425, 425, 1, 0)",
    "unshare_user": "check(libc.unshare(0x10000000))",
    "unshare_net": "check(libc.unshare(0x40000000))",
    "clone_user": "syscall(56, 220, 0x10000000 | 17, 0, 0, 0, 0)",
    "clone3": "syscall(435, 435, 0, 0)",
    "setns": "check(libc.setns(os.open('/proc/self/ns/net', os.O_RDONLY), 0))",
    "mount": "check(libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))",
    "open_tree": "syscall(428, 428, -100, b'/', 1)",
    "chroot": "os.chroot('/tmp')",
    "shmget": "check(libc.shmget(0, 4096, 0o1600))",
    "msgget": "check(libc.msgget(0, 0o1600))",
    "semget": "check(libc.semget(0, 1, 0o1600))",
    "memfd_create": "os.memfd_create('x')",
    "personality": "check(libc.personality(0x0040000))",
    "open_by_handle_at": "check(libc.open_by_handle_at(-1, None, 0))",
    "mknod": "os.mknod('/tmp/device', 0o020666, os.makedev(1, 1))",
    "sethostname": "check(libc.sethostname(b'x', 1))",
    "sysctl": "open('/proc/sys/kernel/core_pattern', 'w')",
}


@pytest.mark.parametrize("call", CALLS)
def test_system_call_is_refused(bench: Bench, call: str) -> None:
    """Calls that reach past the walls, or leave something behind, fail with a reason that a student can read."""
    assert bench.run(CALLS[call]).kind == "blocked"


# --- the network ---


@pytest.mark.parametrize(
    "family", [0, 2, 10, 16, 17, 38, 40], ids=["unspec", "in", "in6", "netlink", "packet", "alg", "vsock"]
)
def test_socket_of_no_other_family(bench: Bench, family: int) -> None:
    """Only local sockets can be made, AF_VSOCK to a virtual machine's host not either."""
    assert bench.run(f"import socket; socket.socket({family}, 1)").kind == "blocked"


def test_network_namespace_is_empty(bench: Bench) -> None:
    """The filter aside, there is no interface but the loop-back, and no route."""
    source = "print(json.dumps([open('/proc/net/dev').read().count(':'), open('/proc/net/route').read().count('\\n')]))"
    assert bench.run(source).seen == [1, 1]


def test_name_lookup_is_refused(bench: Bench) -> None:
    """DNS says that it is closed, not that the student's code is wrong."""
    assert bench.run("import socket; socket.getaddrinfo('example.org', 80)").kind == "blocked"


def test_abstract_socket_of_the_machine_is_not_there(bench: Bench) -> None:
    """A server on an abstract address outside cannot be reached from inside."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0autograder-" + CANARY)
        server.listen()
        source = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0autograder-{CANARY}')"
        assert bench.run(source).kind == "blocked"


# --- files ---


@pytest.mark.parametrize(
    "path", [COURSE / "source", COURSE / "tests", COURSE / "pyproject.toml", PACKAGE, PACKAGE / "assignments"], ids=str
)
def test_course_is_not_there(bench: Bench, path: object) -> None:
    """Source, checks and the rest of the course do not exist in a box, under whatever name the judge knows them."""
    assert bench.run(f"print(json.dumps(os.path.lexists({str(path)!r})))").seen is False


def test_box_sees_one_room_of_the_package(bench: Bench) -> None:
    """Of the package a box finds its own code, and no way to a reference or a check."""
    assert bench.run("print(json.dumps(sorted(os.listdir('/box/autograder'))))").seen == ["__init__.py", "box"]
    assert bench.run("import autograder.assignments.consistency_models.checks").kind == "runtime"


@pytest.mark.parametrize(
    "path", ["/run", "/var", "/sys", "/etc/passwd", "/root/.netrc", "/home", "/dev/mem", "/dev/kvm"]
)
def test_rest_of_the_machine_is_not_there(bench: Bench, path: str) -> None:
    """Sockets of services, accounts and homes are not mounted: folders are there only as the way to Python's own."""
    places = {Path(place) for prefix in (sys.prefix, sys.base_prefix) for place in (prefix, os.path.realpath(prefix))}
    ways = {place.relative_to(path).parts[0] for place in places if place.is_relative_to(path)}
    seen = bench.run(
        f"path = {path!r}; print(json.dumps(os.listdir(path) if os.path.isdir(path) else os.path.exists(path)))"
    ).seen
    assert set(seen) <= ways if ways and seen else seen is False


def test_environment_is_scrubbed(bench: Bench) -> None:
    """Nothing of the judge's environment is in any environment that a box can read."""
    source = """
import glob
seen = repr(dict(os.environ))
for name in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
    try:
        seen += open(name, errors="replace").read()
    except OSError:
        pass
print(json.dumps(seen))"""
    seen = bench.run(source).seen
    assert "MPLBACKEND" in seen
    assert CANARY not in seen


def test_nothing_can_be_written_but_scratch(bench: Bench) -> None:
    """No mount point and no folder above one takes a file: what one box leaves there the next would import.

    But for folders in the scratch ones, which are emptied: a checkout may lie in /tmp.
    """
    source = """
points = {line.split()[4] for line in open("/proc/self/mountinfo")} | {"/", "/dev", "/box", "/etc", "/box/autograder"}
points |= {above for point in points if not (above := os.path.dirname(point)).startswith(("/tmp/", "/dev/shm/"))}
wrote = []
for point in sorted(points - {"/tmp", "/dev/shm"}):
    try:
        open(os.path.join(point, "left-behind"), "w").close()
        wrote.append(point)
    except OSError:
        pass
print(json.dumps(wrote))"""
    assert bench.run(source).seen == []


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_scratch_is_sized_and_emptied(bench: Bench, folder: str) -> None:
    """A box may write a bounded amount; the next one finds none of it."""
    wrote = bench.run(f"""
os.makedirs("{folder}/a/b")
open("{folder}/a/b/c", "w").write("x")
os.symlink("/etc/alternatives", "{folder}/link")
state = os.statvfs("{folder}")
print(json.dumps(state.f_blocks * state.f_frsize))""")
    assert wrote.seen == 256 << 20
    assert bench.run(f"print(json.dumps(os.listdir('{folder}')))").seen == (MOUNTED if folder == "/tmp" else [])


@pytest.mark.parametrize(
    "left",
    [
        "os.mkdir('/tmp/closed'); open('/tmp/closed/x', 'w'); os.chmod('/tmp/closed', 0)",
        """
os.chdir('/tmp')
for _ in range(1500):
    os.mkdir('d'); os.chdir('d')""",
    ],
    ids=["closed", "deep"],
)
def test_scratch_that_resists_is_given_up(bench: Bench, left: str) -> None:
    """Where emptying fails, the keeper goes with its folders, and the next box finds new ones."""
    ran = bench.run(left)
    assert (ran.kind, ran.status) == (None, None)
    assert bench.run("print(json.dumps(os.listdir('/tmp')))").seen == MOUNTED


def test_sets_of_strings_have_one_order_in_every_keeper(bench: Bench) -> None:
    """Hashes are seeded, so that what depends on them, a message or a mark, is the same each time."""
    source = "print(json.dumps([hash('target'), sys.flags.safe_path, sys.flags.no_user_site]))"
    assert bench.run(source).seen == [hash_with_seed_0("target"), True, 1]


def hash_with_seed_0(text: str) -> int:
    """Return the hash in a Python that was started with that seed."""
    run = subprocess.run(
        [sys.executable, "-c", f"print(hash({text!r}))"],
        env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(run.stdout)


@pytest.mark.bubblewrap
def test_compiled_functions_are_run_as_they_are() -> None:
    """A compiler would take longer than a call may; as a decorator, with options, or called."""
    bench = Bench()
    source = """
import torch
@torch.compile
def f(x): return x + 1
@torch.compile(mode="reduce-overhead", dynamic=True)
def g(x): return f(x) + 1
assert torch.compile(g, fullgraph=True)(torch.ones(2)).tolist() == [3.0, 3.0]
assert torch.compile(f) is f
"""
    try:
        ran = bench.run(source)
        assert (ran.kind, ran.text, ran.status) == (None, "", None)
    finally:
        bench.stop()
