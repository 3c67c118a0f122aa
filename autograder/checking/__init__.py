"""What authors of hidden checks import; docs/checking.md explains each name."""

from autograder.checking import expect, inputs
from autograder.checking.check import points
from autograder.checking.expect import Expected, close
from autograder.checking.misconception import LOW_PRECISION, Known, Misconception, alike, match, returns
from autograder.checking.student import Call, Model, ModelState, Probe, Question, Reply, Rows, Student
from autograder.verdict import CheckFailed, Status, contract, wrong

__all__ = [
    "LOW_PRECISION",
    "Call",
    "CheckFailed",
    "Expected",
    "Known",
    "Misconception",
    "Model",
    "ModelState",
    "Probe",
    "Question",
    "Reply",
    "Rows",
    "Status",
    "Student",
    "alike",
    "close",
    "contract",
    "expect",
    "inputs",
    "match",
    "points",
    "returns",
    "wrong",
]
