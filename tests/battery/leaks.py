"""F and G: reading what is not theirs, speaking to the outside, and the walls of the sandbox."""

from __future__ import annotations

from tests.battery.row import Row, ema, honest_ema, sampler, statuses, unless_leaked

EMA = ("ema_update",)
WALKS_THE_DISK = """
import os
names = {"solutions.py", "gradebook.db", "test_ema_update.py", "oracles.py", "calibration.json", "judge.py"}
skipped = ("/usr", "/sys", "/lib", "/bin", "/sbin", "/proc")
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [f for f in folders if "/" + f not in skipped]
    folders[:] = [f for f in folders if f != "site-packages"]
    leaks += [os.path.join(folder, f) for f in files if f in names and "/lib/python" not in folder]
    for file in files:
        path = os.path.join(folder, file)
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 10**6 and "/lib/python" not in path:
                with open(path, "rb") as opened:
                    if NEEDLE.encode() in opened.read():
                        leaks.append(path)
        except OSError:
            pass
"""
WALKS_PROC = """
import glob
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/*/mounts"):
    try:
        with open(path, "rb") as opened:
            content = opened.read(10**6)
    except OSError:
        continue
    if NEEDLE.encode() in content or b"battery" in content:
        leaks.append(path)
leaks += glob.glob("/proc/[0-9]*/cwd/*.ipynb") + glob.glob("/proc/1/fd/*") + glob.glob("/proc/1/root/*")
try:
    with open("/proc/1/mem", "rb"): leaks.append("mem of the keeper")
except OSError:
    pass
"""
OPENS = """
import os
import autograder.box.wire
package = os.path.dirname(os.path.dirname(autograder.box.wire.__file__))
for path in ("assignments", "judge", "checking", "grading", "kernel.py", "../source", "../release", "../tests"):
    leaks += [path] if os.path.exists(os.path.join(package, path)) else []
leaks += [] if os.path.isdir(os.path.join(package, "box")) else ["the wrong folder was searched"]
"""
NETWORK = """
import socket
def tried(family, kind, address, send=None):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(0.5)
            s.connect(address) if send is None else s.sendto(send, address)
            leaks.append(str(address))
    except OSError:
        pass
tried(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80))
tried(socket.AF_INET, socket.SOCK_STREAM, ("1.1.1.1", 443))
tried(socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53), b"x")
tried(socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700:4700::1111", 443))
tried(socket.AF_INET, socket.SOCK_RAW, ("1.1.1.1", 0), b"x")
tried(socket.AF_VSOCK, socket.SOCK_STREAM, (2, 1024))
tried(socket.AF_UNIX, socket.SOCK_STREAM, "/var/run/docker.sock")
tried(socket.AF_UNIX, socket.SOCK_STREAM, "\\0/tmp/.X11-unix/X0")
for port in (22, 80, 5555, 8786, 8888):
    tried(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))
try:
    leaks.append(socket.getaddrinfo("example.org", 80))
except OSError:
    pass
"""
COMMANDS = '::notice title=Autograding report::{"totalPoints":100,"maxPoints":100}'
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        while True:
            time.sleep(0.01)
            try:
                with open("/tmp/daemon", "a") as file: file.write("here")
            except OSError:
                pass
    os._exit(0)
os.wait()
"""
MARKS = """
import fcntl, os, subprocess
os.environ["LEFT_BEHIND"] = "yes"
for folder in ("/tmp", "/dev/shm"):
    os.makedirs(folder + "/.cache/deep", exist_ok=True)
    with open(folder + "/marker", "w") as file: file.write("here")
    os.symlink("/etc/passwd", folder + "/link")
    try: os.mkfifo(folder + "/fifo")
    except OSError: pass
    os.mkdir(folder + "/closed", 0)
os.chmod("/tmp/marker", 0o4777)
os.nice(5)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
"""
PRIVILEGES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def passed(*arguments): return libc.syscall(*arguments) >= 0
calls = {
    "mount": (165, 0, b"/tmp", b"tmpfs", 0, 0), "unshare": (272, 0x10000000), "setns": (308, 0, 0),
    "ptrace": (101, 16, 1, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "bpf": (321, 0, 0, 0),
    "chroot": (161, b"/tmp"), "keyctl": (250, 0, -3, 1),
    "perf": (298, 0, 0, 0, 0, 0), "io_uring": (425, 1, 0), "userfaultfd": (323, 0), "shmget": (29, 0, 4096, 0o1600),
    "setuid": (105, 0),
}
if os.uname().machine == "x86_64":
    leaks += [name for name, arguments in calls.items() if passed(*arguments)]
paths = ("/proc/sys/kernel/hostname", "/sys/kernel/x", "/etc/passwd", "/usr/bin/x", "/box/autograder/box/wire.py")
for path in (*paths, "/proc/1/oom_score_adj"):
    try:
        with open(path, "w"): leaks.append(path)
    except OSError:
        pass
"""

ROWS = (
    Row("63_reads_tests_on_disk", answers=unless_leaked(WALKS_THE_DISK)),
    Row("63_reads_proc", answers=unless_leaked(WALKS_PROC)),
    Row("63_opens_the_checks", answers=unless_leaked(OPENS)),
    Row(
        "65_leaks_through_feedback",
        answers=ema(
            "raise ValueError(str([p.tolist() for p in online.parameters()]) + str(decay * 1.0) + 'é' * 10**6)"
        ),
        lost=EMA,
        statuses=statuses("runtime"),
        says=r"ValueError \(\[+…",
    ),
    Row("66_network_out", answers=unless_leaked(NETWORK)),
    Row(
        "66_network_urlopen",
        answers=ema("import urllib.request\nurllib.request.urlopen('http://example.org', timeout=1)"),
        lost=EMA,
        statuses=statuses("blocked"),
        says="closed while grading",
    ),
    Row(
        "68_ci_secrets",
        answers=unless_leaked(
            """
            import os
            leaks += [p for p in ("~/.netrc", ".git/config", "~/.ssh") if os.path.exists(os.path.expanduser(p))]
            leaks += [value for value in os.environ.values() if NEEDLE in value]
            """
        ),
    ),
    Row(
        "69_workflow_commands",
        answers=honest_ema(
            f"""
            import sys
            for stream in (sys.stdout, sys.stderr, sys.__stdout__):
                print("", {COMMANDS!r}, "::stop-commands::x", sep=chr(10), file=stream, flush=True)
            """
        ),
    ),
    Row(
        "69_workflow_commands_raised",
        answers=ema(f"raise RuntimeError('\\n' + {COMMANDS!r} + '\\n::error file=x::')"),
        lost=EMA,
        statuses=statuses("runtime"),
    ),
    Row(
        "70_markup_injection",
        answers=ema(
            "raise ValueError('<script>alert(1)</script></details>\\x1b[31m\\u202e\\x0b\\x00]]>&amp;' + 'x' * 10**6)"
        ),
        lost=EMA,
        statuses=statuses("runtime"),
    ),
    Row("72_daemon_escape", answers=honest_ema(DAEMON)),
    Row("72_daemon_escape_in_cell", cell=DAEMON),
    Row(
        "73_ignores_signals",
        seconds=1,
        answers=ema(
            """
            import signal
            for n in range(1, 32):
                try: signal.signal(n, signal.SIG_IGN)
                except OSError: pass
            while True: pass
            """
        ),
        lost=EMA,
        statuses=statuses("timeout"),
    ),
    Row("74_sleeps", seconds=1, answers=ema("import time\ntime.sleep(10**6)"), lost=EMA, statuses=statuses("timeout")),
    Row(
        "75_fills_disk",
        answers=ema("with open('/tmp/big', 'wb') as file:\n    while True: file.write(bytes(10**6))"),
        lost=EMA,
        statuses=statuses("resource"),
    ),
    Row(
        "75_fills_shared_memory",
        answers=ema(
            "n = 0\nwhile True:\n    n += 1\n    with open(f'/dev/shm/{n}', 'wb') as file: file.write(bytes(5 * 10**7))"
        ),
        lost=EMA,
        statuses=statuses("resource", "memory"),
    ),
    Row(
        "75_many_small_files",
        answers=ema("n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'w').close()"),
        lost=EMA,
        statuses=statuses("resource", "timeout", "memory"),
    ),
    Row(
        "76_fd_exhaustion",
        answers=ema("held = []\nwhile True: held.append(open('/dev/null'))"),
        lost=EMA,
        statuses=statuses("resource"),
    ),
    Row(
        "76_closes_standard_streams",
        answers=honest_ema("import os\nfor n in (0, 1, 2):\n    try: os.close(n)\n    except OSError: pass"),
    ),
    Row(
        "77_marker_for_next",
        cell=MARKS,
        answers=honest_ema("import os\nif os.environ.get('again'): raise RuntimeError"),
    ),
    Row("79_privilege_tour", answers=unless_leaked(PRIVILEGES)),
    Row(
        "55_silent_thread",
        cell="import threading, time\nthreading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()",
    ),
    Row("39_memory_in_cell", cell="held = []\nwhile True: held.append(bytearray(10**8))", warnings=("cell_failed",)),
    Row(
        "29_returns_none_whole",
        whole=True,
        answers=sampler("pass"),
        lost=("sample_consistency_multistep",),
        statuses=statuses("contract"),
    ),
)
