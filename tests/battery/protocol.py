"""E: answers that speak the grader's own protocol, as code can that has walked up the stack or patched the box."""

from __future__ import annotations

from tests.battery.row import Row, ema, sampler, statuses

SAMPLER = ("sample_consistency_multistep",)
EMA = ("ema_update",)
FORGED = statuses("contract", "wrong", "crash", "runtime")
# The reply of a call that went well, to every descriptor: what an honest box would have sent, but for the number.
SPEAKS = """
import os
from autograder.box.messages import Frame, Reply
from autograder.box.wire import encode
print('{"score": 100, "status": "passed"}')
for descriptor in range(64):
    try: os.write(descriptor, encode(Frame(1, Reply(None, "NoneType", False, [], False, False, []))))
    except OSError: pass
"""
# Frames that only code which has walked up the stack to the grader's own half of the box can send.
WALK = """
import os, sys
from autograder.box.messages import Done, Frame, ProbeQuestion, Reply
from autograder.box.wire import encode
frame = sys._getframe()
while "channel" not in frame.f_locals or "current" not in frame.f_locals: frame = frame.f_back
channel, current = frame.f_locals["channel"], frame.f_locals["current"]
"""
# A cell of code that has patched the grader's own half of the box.
PATCH = """
import sys
from autograder.box.messages import *
def forge(self, request): return {value}
sys.modules["autograder.box.answerer"].Answerer.call = forge
"""


def _forged(frame: str) -> dict[str, str]:
    return ema(WALK + frame)


ROWS = (
    Row("55_speaks_protocol", answers=ema(SPEAKS), lost=EMA, statuses=FORGED),
    Row("55_speaks_protocol_in_cell", cell=SPEAKS, warnings=("cell_failed",)),
    Row("55_closes_descriptors", answers=ema("import os\nos.closerange(0, 64)"), lost=EMA, statuses=FORGED),
    Row(
        "55_torn_frame",
        answers=_forged("channel.sendall(encode(Frame(current, Done()))[:9])\nos._exit(0)"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row("55_huge_frame", answers=_forged("channel.sendall(b'\\xff' * 100_000)"), lost=EMA, statuses=FORGED),
    Row(
        "55_dripping_frame",
        seconds=1,
        answers=_forged(
            """
import time
channel.sendall(encode(Frame(current, "x" * 9999))[:20])
while True:
    channel.sendall(b" ")
    time.sleep(0.02)
"""
        ),
        lost=EMA,
        statuses=FORGED | {"timeout"},
    ),
    Row(
        "55_tensor_for_a_number",
        answers=_forged("channel.sendall(encode(Frame(torch.ones(3), Done())))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_empty_question",
        answers=_forged("channel.sendall(encode(Frame(current, {})))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_half_a_question",
        answers=_forged("channel.sendall(encode(Frame(current, ProbeQuestion(0, None))))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_odd_question",
        answers=_forged("channel.sendall(encode(Frame(current, ProbeQuestion([1], [1]))))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_giant_question",
        answers=sampler(
            "return model(torch.zeros(9_000_000, 2, dtype=torch.float16), torch.ones(9_000_000, dtype=torch.float16))"
        ),
        lost=SAMPLER,
        statuses=FORGED | {"timeout", "memory"},
    ),
    Row(
        "96_reply_without_bytes",
        answers=_forged(
            "import autograder.box.wire as wire\nwire.MAX_EMPTY = 2**24\nempty = torch.zeros(16_000_000, 0)\n"
            "channel.sendall(encode(Frame(current, Reply(None, 'Tensor', False, [], False, False, empty))))"
        ),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "95_half_precision_question",
        answers=sampler(
            "return model(torch.zeros(2_200_000, 2, dtype=torch.float16), torch.ones(2_200_000, dtype=torch.float16))"
        ),
        lost=SAMPLER,
        statuses=frozenset({"output"}),
    ),
    *(
        Row(
            f"55_forged_reply_{n}",
            cell=PATCH.format(value=value),
            lost=("ema_update", "sample_consistency_multistep", "consistency_training_pair"),
        )
        for n, value in (
            ("none", "None"),
            ("empty", "{}"),
            ("done", "Done()"),
            ("undefined", "Undefined()"),
            ("failure", "Failure(3, 3, 3)"),
            ("odd_failure", "Failure([], {}, torch.ones(3), 10**18, -1)"),
            ("passed", "Failure('passed', '', '')"),
            ("grader_error", "Failure('grader_error', '', '')"),
            ("odd_arguments", "Reply({}, 'Tensor', True, [ModelState(2, 3, 4, 5, 6)] * 9, False, False, [])"),
            (
                "wide",
                "Reply(torch.ones(1, 1, 1, 1, 1, 1, 1, 1), 'Tensor', True, [torch.ones(0)] * 9, False, False, [])",
            ),
        )
    ),
)
