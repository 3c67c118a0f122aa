"""Make docs/report.png: `python docs/make_report_picture.py REPORT.html` photographs a page with headless Chromium."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip


def main() -> int:
    """Photograph one page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="a report, as `autograder score --html` writes it")
    parser.add_argument("--out", type=Path, default=HERE / "report.png")
    parser.add_argument("--size", default="900,1100", help="width,height of the window (a phone: 400,800)")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None or not options.page.is_file():
        parser.error(f"needs a page and one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as profile:
        scheme = "0" if options.dark else "1"
        subprocess.run(
            [
                browser, *QUIET, f"--user-data-dir={profile}", f"--window-size={options.size}",
                f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={options.out.absolute()}",
                options.page.absolute().as_uri(),
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
