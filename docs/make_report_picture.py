"""`python -m docs.make_report_picture` marks a notebook with one mistake and photographs its report: docs/report.png.

With a page it photographs that one, in any size, light or dark: to look at a change of the templates.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat

from autograder import cli
from tests.sample_class import correct_notebook, with_answers

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
# Right for a batch in which every row has the same time: a mistake as students make it.
ONE_TIME = """\
def noisy_sample(x_0, epsilon, t):
    t = t[0]
    return (1 - t) * x_0 + t * epsilon
"""


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", help="a report that `autograder score --html` wrote")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "report.png")
    parser.add_argument("--size", default="860,1120", help="width,height of the window (a phone: 390,800)")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        parser.error(f"needs one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        page = options.page or marked_page(Path(folder))
        command = [
            browser, *QUIET, f"--user-data-dir={folder}/profile", f"--window-size={options.size}",
            f"--blink-settings=preferredColorScheme={0 if options.dark else 1}",
            f"--screenshot={options.out.absolute()}", page.absolute().as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def marked_page(folder: Path) -> Path:
    """Return the report of a notebook with one mistake, marked by the real judge."""
    notebook, page = folder / "hw.ipynb", folder / "report.html"
    nbformat.write(with_answers(correct_notebook(ROOT), {"noisy_sample": ONE_TIME}), notebook)
    cli.main(["score", str(notebook), "--student", "Ada Lovelace", "--html", str(page), "--course", str(ROOT)])
    return page


if __name__ == "__main__":
    main()
