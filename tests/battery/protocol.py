"""E: answers that speak the grader's own protocol, as code can that has walked up the stack or patched the box."""

from __future__ import annotations

from tests.battery.row import Row, ema, sampler, statuses

SAMPLER = ("sample_consistency_multistep",)
EMA = ("ema_update",)
FORGED = statuses("contract", "wrong", "crash", "runtime")
CALL = "{'failure': None, 'type': 'Tensor', 'requires_grad': 1, 'reseeded': 0, 'gradients_off': 0, "
# The reply of a call that went well, to every descriptor: what an honest box would have sent, but for the number.
SPEAKS = """
import os
from autograder.box.wire import encode
reply = {"failure": None, "value": None, "type": "NoneType", "requires_grad": 0, "arguments": []}
reply.update(reseeded=0, gradients_off=0)
print('{"score": 100, "status": "passed"}')
for descriptor in range(64):
    try: os.write(descriptor, encode({"id": 1, "reply": reply}))
    except OSError: pass
"""
# Frames that only code which has walked up the stack to the grader's own half of the box can send.
WALK = """
import os, sys
from autograder.box.wire import encode
frame = sys._getframe()
while "channel" not in frame.f_locals or "current" not in frame.f_locals: frame = frame.f_back
channel, current = frame.f_locals["channel"], frame.f_locals["current"]
"""


def _forged(frame: str) -> dict[str, str]:
    return ema(WALK + frame)


ROWS = (
    Row("55_speaks_protocol", answers=ema(SPEAKS), lost=EMA, statuses=FORGED),
    Row("55_speaks_protocol_in_cell", cell=SPEAKS, warnings=("cell_failed",)),
    Row("55_closes_descriptors", answers=ema("import os\nos.closerange(0, 64)"), lost=EMA, statuses=FORGED),
    Row(
        "55_torn_frame",
        answers=_forged("channel.sendall(encode({'id': current})[:9])\nos._exit(0)"),
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
channel.sendall(encode({"id": current, "reply": "x" * 9999})[:20])
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
        answers=_forged("channel.sendall(encode({'id': torch.ones(3), 'reply': None}))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_empty_question",
        answers=_forged("channel.sendall(encode({'id': current, 'question': {}}))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_half_a_question",
        answers=_forged("channel.sendall(encode({'id': current, 'question': {'probe': 0}}))"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row(
        "55_odd_question",
        answers=_forged("channel.sendall(encode({'id': current, 'question': [1]}))"),
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
    *(
        Row(
            f"55_forged_names_{n}",
            cell=f"import sys\nsys.modules['autograder.box.answerer'].Answerer.names = lambda self, wanted: {value}",
            lost=("ema_update", "sample_consistency_multistep", "consistency_training_pair"),
        )
        for n, value in (("none", "None"), ("number", "5"), ("text", "'ab'"), ("empty", "{}"))
    ),
    *(
        Row(
            f"55_forged_reply_{n}",
            cell=f"import sys\nsys.modules['autograder.box.answerer'].Answerer.call = lambda self, request: {value}",
            lost=("ema_update", "sample_consistency_multistep", "consistency_training_pair"),
        )
        for n, value in (
            ("none", "None"),
            ("empty", "{}"),
            ("failure", "{'failure': 3}"),
            ("odd_failure", "{'failure': {'kind': [], 'type': {}, 'text': torch.ones(3), 'cell': 10**18, 'line': -1}}"),
            ("passed", "{'failure': {'kind': 'passed', 'type': '', 'text': '', 'cell': None, 'line': None}}"),
            (
                "grader_error",
                "{'failure': {'kind': 'grader_error', 'type': '', 'text': '', 'cell': None, 'line': None}}",
            ),
            (
                "odd_arguments",
                CALL + "'value': {}, 'arguments': [dict(requires_grad=1, state=2, grad=3, graph=4, replaced=5)] * 9}",
            ),
            (
                "wide",
                CALL + "'value': torch.ones(1, 1, 1, 1, 1, 1, 1, 1), 'arguments': [torch.ones(0)] * 9}",
            ),
        )
    ),
)
