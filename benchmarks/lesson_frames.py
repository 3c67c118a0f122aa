"""How many frames a second the lesson's figure reaches while its noise point is dragged, on one core.

`python benchmarks/lesson_frames.py` holds itself and Chromium to one core, moves the point once a frame for five
seconds, three times, and prints each rate and the median. What must be reached: 30.
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the browser is opened as the tests open it

from tests.browser import open_browser, open_page

PAGE = Path(__file__).parents[1] / "release" / "consistency-models" / "lesson.html"
SECONDS = 5
RUNS = 3
# Pointer events as a hand makes them, one before each frame; a frame counts when the browser asks for the next one.
DRAG = """
seconds => new Promise(done => {
  const handle = document.querySelector("#lab-noise");
  const area = document.querySelector("#lab svg").getBoundingClientRect();
  let frames = 0, started = 0;
  handle.setPointerCapture = () => {};  // no device is behind these events, so that none can be captured
  handle.hasPointerCapture = () => true;
  const tell = (type, [clientX, clientY]) => handle.dispatchEvent(
    new PointerEvent(type, {bubbles: true, pointerId: 1, isPrimary: true, buttons: 1, clientX, clientY}));
  const share = {x: angle => 0.5 + 0.3 * Math.cos(angle), y: angle => 0.5 + 0.3 * Math.sin(angle)};
  const at = angle => [area.x + area.width * share.x(angle), area.y + area.height * share.y(angle)];
  const drawn = document.querySelector("#lab-ode").getAttribute("d");
  tell("pointerdown", at(0));
  const frame = now => {
    started ||= now;
    if (now - started >= 1000 * seconds) {
      tell("pointerup", at(0));
      const moved = document.querySelector("#lab-ode").getAttribute("d") !== drawn;
      done(moved ? 1000 * (frames - 1) / (now - started) : 0);
      return;
    }
    frames += 1;
    tell("pointermove", at(frames / 20));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})
"""


def main() -> None:
    """Measure and print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with open_browser() as browser, open_page(browser, PAGE) as page:
        page.locator("#lab").scroll_into_view_if_needed()
        rates = [float(page.evaluate(DRAG, SECONDS)) for _ in range(RUNS)]
    print("frames a second:", ", ".join(f"{rate:.1f}" for rate in rates), f"(median {statistics.median(rates):.1f})")


if __name__ == "__main__":
    main()
