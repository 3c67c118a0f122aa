"""`python -m docs.make_report_picture` makes docs/notebook.png, report.png and class-report.png.

The first shows parts of the student's notebook, whose figures are drawn by running the reference answers; the second is
the report on a notebook with one mistake, marked for this picture; the third shows an invented class, without names.
Given a page, it photographs that page instead, in any size, light or dark: to look at a change in a template.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from traitlets.config import Config

from autograder import cli
from autograder.grading.class_report import class_report, gather
from autograder.render.class_page import to_class_page
from tests.sample_class import correct_notebook, released_notebook, with_answers
from tests.sample_reports import sample_class

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STUDENTS = 120
NOTEBOOK_SIZE = "860,1030"
CLASS_SIZE = "1000,1250"
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


FIGURES = frozenset({"ex3_pair_figure", "one_step_figure"})  # cells of which the figure is shown, not the code
SHOWN = FIGURES | {"ema_update_text", "ema_update"}


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", help="a page that `autograder score --html` or `grade` wrote")
    parser.add_argument("--out", type=Path, default=DOCS / "page.png", help="of that page")
    parser.add_argument("--size", default="860,1120", help="width,height of the window (a phone: 390,800)")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        parser.error(f"needs one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        shown = [browser, *QUIET, f"--user-data-dir={folder}/profile"]
        shown.append(f"--blink-settings=preferredColorScheme={0 if options.dark else 1}")
        if options.page:
            photograph(shown, options.page, options.out, options.size)
        else:
            photograph(shown, notebook_page(Path(folder)), DOCS / "notebook.png", NOTEBOOK_SIZE)
            photograph(shown, marked_page(Path(folder)), DOCS / "report.png", options.size)
            photograph(shown, class_page(Path(folder)), DOCS / "class-report.png", CLASS_SIZE)


def photograph(browser: list[str], page: Path, out: Path, size: str) -> None:
    """Write a picture of the top of a page, in a palette of 256 colours, which is all that it has."""
    command = [*browser, f"--window-size={size}", f"--screenshot={out.absolute()}", page.absolute().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with Image.open(out) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)


def notebook_page(folder: Path) -> Path:
    """Return a page with parts of the student's notebook, as it looks when the answers are right."""
    answered, notebook, page = correct_notebook(ROOT), released_notebook(ROOT), folder / "notebook.html"
    last = max(place for place, cell in enumerate(answered.cells) if cell.id in FIGURES)
    answered.cells = answered.cells[: last + 1]
    NotebookClient(answered, timeout=600, allow_errors=False).execute()
    outputs = {cell.id: cell.outputs for cell in answered.cells if cell.id in FIGURES}
    notebook.cells = [cell for cell in notebook.cells if cell.id in SHOWN]
    for cell in notebook.cells:
        if cell.id in FIGURES:
            cell.update(outputs=outputs[cell.id], metadata={"tags": ["figure"]})
    hidden = Config(TagRemovePreprocessor={"enabled": True, "remove_input_tags": {"figure"}})
    exporter = HTMLExporter(config=hidden, exclude_input_prompt=True, exclude_output_prompt=True)
    page.write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
    return page


def class_page(folder: Path) -> Path:
    """Return the page of a class whose members have neither been nor names."""
    page = folder / "class.html"
    found = class_report(gather(sample_class(STUDENTS), lambda report: False))
    page.write_text(to_class_page(found, anonymous=True), encoding="utf-8")
    return page


def marked_page(folder: Path) -> Path:
    """Return the report of a notebook with one mistake, marked by the real judge."""
    notebook, page = folder / "hw.ipynb", folder / "report.html"
    nbformat.write(with_answers(correct_notebook(ROOT), {"noisy_sample": ONE_TIME}), notebook)
    cli.main(["score", str(notebook), "--student", "Ada Lovelace", "--html", str(page), "--course", str(ROOT)])
    return page


if __name__ == "__main__":
    main()
