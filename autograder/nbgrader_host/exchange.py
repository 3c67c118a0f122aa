"""nbgrader's exchange: the files beside a submission, and a `release_feedback` that skips who cannot fetch it."""

import glob
from pathlib import Path
from typing import Any

from nbgrader import utils
from nbgrader.exchange.default import ExchangeReleaseFeedback

from autograder.intake.file import open_regular

KEPT = ("timestamp.txt", "submission_secret.txt")  # what nbgrader's exchange needs to bring the feedback back


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]
    """Releases the feedback of every hand-in that came through the exchange, and names the others.

    Only with the secret that `nbgrader submit` made can a student fetch the feedback. nbgrader's own command ends at
    the first hand-in without one, and leaves everybody behind it in the order of names without feedback.
    """

    src_path: str

    def copy_files(self) -> None:
        """Copy one student's pages after the other's."""
        others = []
        for folder in sorted(map(Path, glob.glob(self.src_path))):
            if all((folder / name).is_file() for name in KEPT):
                self.src_path = glob.escape(str(folder))
                super().copy_files()
            else:
                others.append(folder.parent.name)
        if others:
            self.log.warning(
                "Not released, for lack of a hand-in through the exchange: %s. Their pages are in %s; return them as "
                "their notebooks came.", ", ".join(others), self.coursedir.feedback_directory,
            )  # fmt: skip


def exchange_files(notebook: Path | None) -> dict[str, bytes]:
    """Return the small files that nbgrader's exchange puts beside a submission; a link is not followed."""
    found: dict[str, bytes] = {}
    if notebook is None:
        return found
    for name in KEPT:
        file = open_regular(notebook.parent / name)
        if file is not None:
            with file:
                found[name] = file.read(4096)
    return found


def timestamp_of(notebook: Path | None) -> Any:
    """Return when it was handed in, in UTC, as nbgrader reads it; None where it is not known."""
    text = exchange_files(notebook).get("timestamp.txt", b"").decode("ascii", "replace").strip()
    try:
        return utils.parse_utc(text) if text else None
    except (ValueError, OverflowError):
        return None
