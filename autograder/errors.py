"""One tree of errors: the class says whose fault it is and holds the exit code of the command."""


class AutograderError(Exception):
    """Something went wrong that the person at the terminal should read as one sentence."""

    exit_code = 4


class UsageError(AutograderError):
    """The command, the settings or the course folder are not usable as given."""

    exit_code = 2


class FaultFound(AutograderError):
    """`release --check` or `validate` did its work and found a fault in the assignment."""

    exit_code = 1


class ReleaseFault(FaultFound):
    """The source notebook cannot be released, or the committed release is stale."""


class Unreadable(AutograderError):
    """The submission cannot be read as this assignment's notebook; the report says so."""

    exit_code = 3


class GraderFault(AutograderError):
    """Our own fault: never costs points, never blamed on a submission."""

    exit_code = 4


class DiskFull(GraderFault):
    """There is no room to write; whoever reads that makes some, and needs no trace-back."""


class IsolationMissing(AutograderError):
    """The requested isolation is unavailable on this machine."""

    exit_code = 5
