"""`nbgrader release_feedback` as this course has it: it passes by who cannot fetch anything."""

from __future__ import annotations

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from autograder.nbgrader_host.gradebook import KEPT


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
