"""How a box can fail, and what its end says to the student."""

import signal

from autograder.box.wire import CHANNEL_LOST
from autograder.verdict import Status


class BoxFailure(Exception):
    """The box did not answer: `status` says why, the text is for the student."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class KeeperLost(Exception):
    """The keeper itself ended or fell silent; the submission is tried once more with a fresh one."""


def ended(status: int | None) -> BoxFailure:
    """Return the failure of a box that ended by itself: an exit code, or minus the number of a signal."""
    if status is None or status == CHANNEL_LOST:
        return BoxFailure(
            Status.CRASH, "Your code closed its connection to the grader; leave descriptors you did not open alone."
        )
    if status == -signal.SIGXCPU:
        return BoxFailure(Status.TIMEOUT, "Your code used up all of the processor time that a submission may take.")
    if status < 0:
        return BoxFailure(
            Status.CRASH,
            f"Your code ended the Python process by signal {-status} ({_signal_name(-status)}) "
            "instead of returning a value.",
        )
    return BoxFailure(
        Status.CRASH,
        f"Your code ended the Python process (exit code {status}) instead of returning a value; remove the exit call.",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
