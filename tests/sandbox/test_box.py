"""The judge's end of a box: whatever the box says, or does not say, is a reply or a verdict, in time and in bounds."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.box.failures import SLACK
from autograder.box.messages import Failure, Reply
from autograder.sandbox import box, stopwatch
from autograder.sandbox.box import Box, Output
from autograder.sandbox.box_failure import BoxFailure
from autograder.sandbox.procfs import Waiting
from autograder.sandbox.stopwatch import Stopwatch
from autograder.verdict import Status
from tests.boxes import Bench, cell, needs_bubblewrap

SPARE_SECONDS = 60.0  # beyond a limit, before a verdict counts as a hang, on a busy machine too


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A keeper for all of these tests."""
    bench = Bench()
    yield bench
    bench.stop()


def double(question: Any) -> torch.Tensor:
    """Answer a probe's question."""
    return 2 * question.arguments[0]


def verdict(bench: Bench, source: str, seconds: float = 1.0) -> tuple[Status, Box]:
    """Return the status that calling f ends in; it must come within the limit."""
    started = time.monotonic()
    failed, box = bench.call(source, seconds, double)
    assert time.monotonic() - started < seconds * SLACK + SPARE_SECONDS
    assert isinstance(failed, BoxFailure), failed
    return failed.status, box


@pytest.mark.bubblewrap
class TestSpeech:
    """What hostile code writes into the channel."""

    pytestmark = needs_bubblewrap

    def test_questions_of_a_probe_are_answered(self, bench: Bench) -> None:
        """An honest function asks three times and returns what it was told."""
        source = """
import torch
def f(model):
    x = torch.ones(1, 2)
    for _ in range(3):
        x = model(x, x[:, 0])
    return x"""
        reply, _ = bench.call(source, 10.0, double)
        assert reply.value.tolist() == [[8.0, 8.0]]

    @pytest.mark.parametrize(
        "frame",
        [
            "b'\\0' * 8",
            "b'x' * 100",
            "b'\\xff' * 8",
            "encode(None)",
            "encode([])",
            "encode('reply')",
            "encode(3)",
            "encode({})",
            "encode({'number': number(), 'message': None})",
            "encode(Done())",
            "encode(Frame(number() ^ 1, Done()))",
            "encode(torch.ones(3))",
        ],
    )
    def test_a_frame_out_of_turn_is_a_crash(self, bench: Bench, frame: str) -> None:
        """Anything but a frame with the number of the request ends the box, and staff are told why."""
        status, box = verdict(bench, f"import torch\ndef f(model):\n    channel.sendall({frame})\n    sys.stdin.read()")
        assert status is Status.CRASH
        assert "out of turn" in box.suspicions[0]

    @pytest.mark.parametrize(
        "frame",
        [
            "Frame(True, Done())",
            "Frame(torch.ones(2, 2), Done())",
            "Frame(number(), None)",
            "Frame(number(), {'value': 1})",
            "Frame(number(), Done())",
            "Frame(number(), Answer(None))",
            "Frame(number(), ProbeQuestion('0', [1, 1]))",
            "Frame(number(), ProbeQuestion(torch.ones(2), [1, 1]))",
            "Frame(number(), ProbeQuestion(0, torch.zeros(10_000, 0)))",
            "Frame(number(), ProbeQuestion(0, [Done(), 1]))",
            "Frame(number(), Reply(None, 'float', 1, [], False, False, []))",
            "Frame(number(), Reply(None, 'float', False, [], False, False, torch.zeros(10_000, 0)))",
        ],
    )
    def test_a_message_that_is_not_due_is_a_crash(self, bench: Bench, frame: str) -> None:
        """What stands where something else is due is refused before anything looks at it."""
        source = f"import torch\ndef f(model):\n    channel.sendall(encode({frame}))\n    sys.stdin.read()"
        status, box = verdict(bench, source)
        assert status is Status.CRASH
        assert "in the grader's place" in box.suspicions[0]

    def test_an_answer_before_the_question_is_a_crash(self, bench: Bench) -> None:
        """A frame written while a cell runs, before the call that it means to answer, cannot know the call's number."""
        source = cell("import socket\nfrom autograder.box.messages import Done, Frame\n" + EARLY, 10.0)
        with bench.box() as box, pytest.raises(BoxFailure) as caught:
            box.request(source, 10.0)
        assert caught.value.status is Status.CRASH

    def test_a_forged_reply_is_no_more_than_a_value(self, bench: Bench) -> None:
        """Code that answers in the harness's place can say what it likes: it stays a value, never a verdict."""
        reply = "Reply({'score': 100}, 'passed', False, [], False, False, [])"
        found, _ = bench.call(f"def f(model):\n    channel.sendall(encode(Frame(number(), {reply})))", 5.0)
        assert (found.value, found.type) == ({"score": 100}, "passed")

    @pytest.mark.parametrize(
        ("speech", "status"),
        [
            ("import time; time.sleep(100)", Status.TIMEOUT),
            ("channel.sendall(b'\\0\\0'); os._exit(0)", Status.CRASH),
            ("channel.sendall(b'\\0\\0\\1\\0\\0\\0\\0\\0' + b'['); os._exit(0)", Status.CRASH),
            ("channel.shutdown(socket.SHUT_RDWR)", Status.CRASH),
            ("os.close(3); import time; time.sleep(100)", Status.CRASH),
        ],
        ids=["silence", "half_prefix", "half_frame", "shutdown", "closed"],
    )
    def test_an_unfinished_reply_is_a_verdict(self, bench: Bench, speech: str, status: Status) -> None:
        """Silence, half a frame, and a channel that is closed are told apart, and none of them hangs."""
        assert verdict(bench, f"def f(model):\n    {speech}", 2.0)[0] is status

    @pytest.mark.parametrize(("kept", "status"), [("block", Status.MEMORY), ("None", Status.TIMEOUT)])
    def test_memory_that_grows_until_time_is_up_is_told(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: str, status: Status
    ) -> None:
        """Where pages come slowly, a growing list meets the clock before its limit; what comes and goes grows not."""
        monkeypatch.setattr(box, "GROWTH_BYTES", 16 << 20)
        source = f"""
import time
def f(model):
    held = []
    while True:
        block = bytearray(4 << 20)
        held.append({kept})
        time.sleep(0.02)"""
        assert verdict(bench, source)[0] is status

    def test_a_byte_now_and_then_is_a_time_out(self, bench: Bench) -> None:
        """A reply that comes byte by byte, each in time, does not stretch the limit of the call."""
        source = """
import time
def f(model):
    channel.sendall(bytes([0, 16, 0, 0, 0, 0, 0, 0]))
    while True:
        channel.sendall(b" ")
        time.sleep(0.005)"""
        assert verdict(bench, source)[0] is Status.TIMEOUT

    def test_questions_without_end_are_cut_short(self, bench: Bench) -> None:
        """A loop of questions ends by its number or by the clock, also where it ignores what it is told."""
        source = "import torch\ndef f(model):\n    while True:\n        model(torch.ones(1, 2), torch.ones(1))"
        status, _ = verdict(bench, source, 2.0)
        assert status is Status.TIMEOUT

    def test_number_of_questions_is_bounded(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """The judge answers so many questions of one call and no more, however quickly they come."""
        monkeypatch.setattr(box, "MAX_QUESTIONS", 20)
        asked = []
        source = "import torch\ndef f(model):\n    while True:\n        model(torch.ones(1, 2), torch.ones(1))"
        failed, _ = bench.call(source, 60.0, lambda question: asked.append(1) or double(question))
        assert (failed.status, len(asked)) == (Status.TIMEOUT, 20)

    def test_bytes_of_questions_are_bounded(self, bench: Bench) -> None:
        """Large questions end the call before they fill the judge's memory."""
        source = (
            "import torch\ndef f(model):\n    while True:\n        model(torch.ones(10 ** 6, 2), torch.ones(10 ** 6))"
        )
        kept: list[Any] = []
        failed, _ = bench.call(source, 60.0, lambda question: kept.append(question) or double(question))
        assert failed.status is Status.OUTPUT
        assert len(kept) * 12e6 <= box.MAX_RECEIVED_BYTES

    def test_an_answer_over_the_limit_of_a_frame_ends_the_call(self, bench: Bench) -> None:
        """A question in half precision fits where its answer in single precision does not: no fault of the judge's."""
        half = "torch.ones(2_200_000, 2).half(), torch.ones(2_200_000).half()"
        source = f"import torch\ndef f(model): return model({half})"
        failed, _ = bench.call(source, 60.0, lambda question: question.arguments[0].float())
        assert failed.status is Status.OUTPUT

    def test_a_box_that_stops_reading_is_a_time_out(self, bench: Bench) -> None:
        """An answer larger than the socket's buffer waits for a box that does not read it, up to the limit."""
        source = """
import torch
def f(model):
    channel.sendall(encode(Frame(number(), ProbeQuestion(0, [torch.ones(1), 1]))))
    import time
    time.sleep(100)"""
        failed, _ = bench.call(source, 1.0, lambda question: torch.ones(3_000_000))
        assert failed.status is Status.TIMEOUT

    def test_a_fork_of_the_box_does_not_answer_in_its_place(self, bench: Bench) -> None:
        """A child that comes back from the student's function ends there; the call has one reply."""
        reply, _ = bench.call("def f(model):\n    os.fork()\n    return 1.0", 5.0)
        assert reply.value == 1.0

    def test_the_judges_own_time_is_not_the_boxs(self, bench: Bench) -> None:
        """An answer that takes the judge longer than the limit of the call does not end the call."""

        def slowly(question: Any) -> torch.Tensor:
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                gc.collect(0)
            return double(question)

        source = "import torch\ndef f(model):\n    return model(torch.ones(1, 2), torch.ones(1))"
        assert isinstance(bench.call(source, 1.0, slowly)[0], Reply)

    @pytest.mark.parametrize(
        "value",
        [
            "torch.zeros(1).expand(10 ** 12)",
            "torch.zeros(5_000_000)",
            "torch.empty(2, device='meta')",
            "(x for x in ())",
        ],
    )
    def test_a_value_that_cannot_cross_is_told_of(self, bench: Bench, value: str) -> None:
        """A result too large, or of no form that crosses, costs the call and not the box."""
        reply, _ = bench.call(f"import torch\ndef f(model):\n    return {value}", 10.0)
        assert isinstance(reply, Failure) or reply.value is None

    def test_a_reply_of_the_largest_size_stays_in_bounds(self, bench: Bench) -> None:
        """The judge's memory grows by a few times the largest frame at most."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        bench.call("import torch\ndef f(model):\n    return torch.zeros(2 ** 22 - 1)", 10.0)
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kib < 8 * 16 * 1024


EARLY = """
from autograder.box.wire import encode
socket.socket(fileno=3).sendall(encode(Frame(0, Done())))
"""


def test_output_keeps_the_first_bytes() -> None:
    """What is over the limit is counted and thrown away."""
    output = Output(5, bytearray())
    for chunk in (b"abc", b"defg", b"h"):
        output.take(chunk)
    assert (bytes(output.kept), output.total_bytes) == (b"abcde", 8)


class Machine:
    """A stand-in for /proc and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
        self.now = self.waited = 0.0
        monkeypatch.setattr(stopwatch.time, "monotonic", lambda: self.now)
        self._threads = threads

    def threads_now(self) -> int:
        """Return how many threads of the submission are busy."""
        return self._threads

    def seconds(self) -> float:
        """Return how long the box has waited, as procfs.Waiting does."""
        return self.waited


def test_waiting_is_told_of_a_process_as_long_as_it_lives() -> None:
    """Of one that is gone, and of one that never was, nothing is told."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        waiting = Waiting(process.pid)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"a")
        process.stdin.flush()
        process.stdout.read(1)  # it has started, and waits for more
        schedstat = Path(f"/proc/{process.pid}/schedstat")
        earlier, told, later = schedstat.read_text(), waiting.seconds(), schedstat.read_text()
        assert int(earlier.split()[1]) <= round(told * 1e9) <= int(later.split()[1])
        process.communicate()
    assert waiting.seconds() == 0.0
    waiting.close()
    waiting.close()
    assert waiting.seconds() == Waiting(process.pid).seconds() == 0.0


@pytest.mark.parametrize(("threads", "counted"), [(1, 6.0), (2, 8.0), (16, 9.75)])
def test_waiting_for_others_does_not_count(monkeypatch: pytest.MonkeyPatch, threads: int, counted: float) -> None:
    """Of ten seconds, four of them waiting, six count; with n busy threads most of the waiting is for one's own."""
    machine = Machine(monkeypatch, threads)
    machine.waited = 3.0  # before it started
    watch = Stopwatch([machine], machine.threads_now)
    machine.now, machine.waited = 10.0, 7.0  # asked once, at the end, as a submission's clock is
    assert watch.seconds() == pytest.approx(counted)


def test_waiting_of_the_judge_does_not_count_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that waits for an answer waits for the judge, and the judge for a processor."""
    box, judge = Machine(monkeypatch, 1), Machine(monkeypatch, 1)
    watch = Stopwatch([box, judge], judge.threads_now)
    judge.now, box.waited, judge.waited = 10.0, 1.0, 3.0
    assert watch.seconds() == pytest.approx(6.0)


def test_a_box_that_is_gone_has_waited_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it waited before is no time of this call."""
    machine = Machine(monkeypatch, 1)
    machine.waited = 3.0
    watch = Stopwatch([machine], machine.threads_now)
    machine.now, machine.waited = 1.0, 0.0
    assert watch.seconds() == pytest.approx(1.0)


def test_a_third_of_the_wall_time_always_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the most loaded machine a limit is stretched to three times, and no further."""
    machine = Machine(monkeypatch, 1)
    watch = Stopwatch([machine], machine.threads_now)
    machine.now, machine.waited = 9.0, 9.0
    assert watch.seconds() == pytest.approx(3.0)


# --- copies ---

BEGIN = """
import autograder.box.serve, os, socket, time
from autograder.box.messages import Done, Threads
def begin(channel, descriptors):
    {}
autograder.box.serve.begin_copy = begin
"""
SPEAKS = "own = socket.socket(fileno=os.dup(descriptors[0])); {}; return own"


def copied(bench: Bench, source: str) -> BoxFailure | None:
    """Ask for a copy of a box whose code makes copies in this way; return how that failed."""
    with bench.box() as box:
        box.request(cell(BEGIN.format(source), 10.0), 10.0)
        try:
            copy = box.copy()
        except BoxFailure as failure:
            return failure
        assert copy is not None
        copy.end()
        copy.close()
    return None


def descriptors() -> int:
    """Return how many descriptors the judge has open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("silent", ["os._exit(0)", "time.sleep(1000)", "channel.close(); time.sleep(1000)"])
def test_copy_that_says_nothing_is_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    """Of the box, after a while; the next box is as good as ever."""
    monkeypatch.setattr("autograder.sandbox.box.COPY_SECONDS", 1.0)
    bench.run("pass")
    before = descriptors()
    assert copied(bench, silent) is not None
    assert descriptors() == before
    assert bench.run("print(1)").seen == 1


def test_descriptors_that_come_with_the_first_word_are_not_taken(bench: Bench) -> None:
    """The judge makes room for the kernel's word on who speaks, and for nothing else."""
    bench.run("pass")
    before = descriptors()
    assert copied(bench, SPEAKS.format("socket.send_fds(own, [b'.'], [0] * 30)")) is None
    assert descriptors() == before


IN_ITS_PLACE = """
def speaking(channel, threads):
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 2)
    own = socket.socket(fileno=descriptors[0])
    own.sendall(b".")
    kept.append(own)
    return Done()
kept = []
autograder.box.serve.copy_of_box = speaking
"""


def test_box_may_speak_in_the_place_of_its_copy(bench: Bench) -> None:
    """It gains nothing: the judge then knows it under two names, and both end with it."""
    bench.run("pass")
    before = descriptors()
    assert copied(bench, f"pass\n{IN_ITS_PLACE}def more(): pass") is None
    assert bench.run("print(1)").seen == 1
    assert descriptors() == before
