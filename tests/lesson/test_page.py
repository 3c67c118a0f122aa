"""The lesson's page as a reader meets it: dragged, slid, switched, guessed at; on a phone and a desk, in the dark."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from autograder.course import find_assignment
from autograder.lesson.page import LARGEST_BYTES
from autograder.release.build import LESSON
from tests.browser import DESK, PHONE, is_cut_off, needs_chromium, open_browser, open_page, violations
from tests.lesson_networks import COURSE, MODELS, exported_networks
from tests.notebooks import NAME

pytestmark = needs_chromium
RELEASED = find_assignment(COURSE).released / LESSON
# Both sides compute with float32 weights, torch with float32 sums: rounding of 128 terms of size 1 is about 1e-6.
TOLERANCE = 1e-5
# Tables and formulas that could only be read by scrolling them sideways.
CUT_OFF = """
[...document.querySelectorAll('.scroll, math[display="block"]')]
  .filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.textContent.trim().slice(0, 40))
"""
# Words in figures that are smaller than 10 pixels, leave their figure or lie upon one another.
ILLEGIBLE = """
[...document.querySelectorAll('figure svg')].flatMap((svg) => {
  const texts = [...svg.querySelectorAll('text')], size = (it) => parseFloat(getComputedStyle(it).fontSize);
  const words = texts.map((it) => [it.textContent, it.getBoundingClientRect()]);
  const all = svg.getBoundingClientRect(), scale = all.width / svg.viewBox.baseVal.width;
  const small = texts.filter((it) => scale * size(it) < 10);
  const out = words.filter(([, box]) => box.left < all.left - 1 || box.right > all.right + 1);
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom - 4 <= b.top || b.bottom - 4 <= a.top;
  const upon = words.filter(([, a], i) => words.some(([, b], k) => k < i && !apart(a, b)));
  return [...small.map((it) => it.textContent), ...[...out, ...upon].map(([text]) => text)];
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser of this module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return the released lesson, opened at a desk."""
    with open_page(browser, RELEASED) as page:
        yield page


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    """Return the exported models as the notebook's own classes, by name."""
    return exported_networks()


def asked(page: Page, script: str, *arguments: object) -> Any:
    """Return what a function of the page's own console answers."""
    return page.evaluate(f"([{', '.join('abc'[: len(arguments)])}]) => {{ {script} }}", list(arguments))


def number(page: Page, name: str) -> float:
    """Return a number that the figure shows."""
    return float(page.locator(f"#lab-{name}").inner_text())


def noise(page: Page) -> list[float]:
    """Return where the noise point is."""
    return list(page.evaluate("lesson.lab.noise"))


def rest(page: Page) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_lesson_computes_what_torch_computes(page: Page, networks: dict[str, Any]) -> None:
    """Every network agrees with PyTorch to 1e-5 on 1,000 points and times."""
    generator = torch.Generator().manual_seed(6)
    x = 1.5 * torch.randn(1000, 2, generator=generator)
    t = torch.rand(1000, generator=generator).clamp(min=MODELS["sigma_min"])
    for name in (model["name"] for model in MODELS["models"]):
        call = "Array.from(m.at(x, y, b[i]))" if name == "teacher" else "m.jump([x, y], b[i])"
        there = asked(
            page, f"const m = lesson.models[c]; return a.map(([x, y], i) => {call});", x.tolist(), t.tolist(), name
        )
        assert (torch.tensor(there) - networks[name](x, t)).abs().max() <= TOLERANCE, name


def test_lesson_walks_as_the_notebook_walks(page: Page, networks: dict[str, Any]) -> None:
    """The drawn trajectory is the notebook's solve_ode, step by step, up to the rounding of 200 steps."""
    start = torch.tensor([[0.7, -1.1], [-2.0, 0.4]])
    for steps in (1, 20, 200):
        here = torch.stack([x for x, _ in networks["solve_ode"](networks["teacher"], start, 1.0, 0.0, steps)])
        there = asked(page, "return a.map((x) => lesson.solveOde(lesson.models.teacher, x, b));", start.tolist(), steps)
        assert (torch.tensor(there).transpose(0, 1) - here).abs().max() <= 5 * TOLERANCE


def test_lesson_noise_is_dragged(page: Page) -> None:
    """The point follows the mouse and stays inside; trajectory, landings and numbers follow the point."""
    before = page.locator("#lab-ode").get_attribute("d")
    gap = number(page, "gap")
    page.locator("#lab").scroll_into_view_if_needed()
    box = page.locator("#lab svg").bounding_box()
    assert box is not None
    grip = page.locator("#lab-noise").bounding_box()
    assert grip is not None
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"], steps=4)
    rest(page)
    assert noise(page) == pytest.approx([2.0, 2.0], abs=0.05)
    assert page.locator("#lab-ode").get_attribute("d") != before
    assert number(page, "gap") != gap
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + 0.5 * box["height"], steps=2)
    page.mouse.up()
    rest(page)
    assert noise(page)[0] == 3.6


def test_lesson_noise_is_moved_by_keys_and_told(page: Page) -> None:
    """Arrow keys move the point, its value says where it is, and after a rest a sentence says what came of it."""
    handle = page.locator("#lab-noise")
    x, y = noise(page)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    rest(page)
    assert noise(page) == pytest.approx([x + 0.05, y + 0.25])
    assert handle.get_attribute("aria-valuetext") == f"x {x + 0.05:.2f}, y {y + 0.25:.2f}"
    expect(page.locator("#lab-summary")).to_contain_text("From noise")


def test_lesson_noise_is_placed_by_a_tap(browser: Browser) -> None:
    """On a touch screen the point goes where one taps."""
    with open_page(browser, RELEASED, width=PHONE) as page:
        page.locator("#lab svg").click(position={"x": 60, "y": 60})
        rest(page)
        assert noise(page)[0] < -2
        assert noise(page)[1] > 2


def test_lesson_noise_is_dragged_by_a_finger(browser: Browser) -> None:
    """On a touch screen the point follows a finger that began on it, and the page does not scroll meanwhile."""
    with open_page(browser, RELEASED, width=PHONE, touch=True) as page:
        page.locator("#lab svg").scroll_into_view_if_needed()
        scrolled = page.evaluate("scrollY")
        box, grip = page.locator("#lab svg").bounding_box(), page.locator("#lab-noise").bounding_box()
        assert box is not None
        assert grip is not None
        start = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
        end = box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"]
        finger = page.context.new_cdp_session(page)
        for part in (0, 0.25, 0.5, 0.75, 1):
            x, y = ((1 - part) * a + part * b for a, b in zip(start, end, strict=True))
            kind = "touchMove" if part else "touchStart"
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            rest(page)
        assert noise(page) == pytest.approx([2.0, 2.0], abs=0.05)
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert page.evaluate("scrollY") == scrolled


def test_lesson_says_nothing_before_it_is_used(page: Page) -> None:
    """Opening the page reads out no numbers, nor does what nobody asked for; sliding by keys does."""
    page.evaluate("window.setTimeout = (act) => { act(); }; lesson.lab.move([1, 1])")
    rest(page)
    assert page.locator("#lab-summary").inner_text() == ""
    page.locator("#lab-level").press("ArrowRight")
    expect(page.locator("#lab-summary")).to_contain_text("From noise (1.00, 1.00)")


def test_lesson_level_slides_to_the_boundary_condition(page: Page) -> None:
    """Sliding moves the jump's start along the trajectory; at the lowest level a jump goes nowhere."""
    slider = page.locator("#lab-level")
    slider.fill("180")
    rest(page)
    assert page.locator("#lab-level-shown").inner_text() == "t = 0.90"
    early = number(page, "miss")
    for place, level in (("1", "0.005"), ("2", "0.010"), ("3", "0.015"), ("19", "0.095"), ("20", "0.10")):
        slider.fill(place)
        assert page.locator("#lab-level-shown").inner_text() == f"t = {level}"
    slider.fill("0")
    rest(page)
    assert page.locator("#lab-level-shown").inner_text() == "t = 0.002"
    assert number(page, "miss") < min(early, 0.02)  # what is left is the last hundredth of the trajectory itself
    moved = page.evaluate("lesson.lab.model.jump([1.25, -0.5], 0.002)")
    assert moved == [1.25, -0.5]


def test_lesson_decay_is_a_switch_between_models(page: Page) -> None:
    """With a slow target the landings lie far apart, with a fast one together; every choice is another model."""
    page.evaluate(
        "lesson.lab.move([-1.5, 1])"
    )  # far from the border between the moons, where every model is at its worst
    gaps = {}
    for name in [model["name"] for model in MODELS["models"][1:]]:
        page.locator(f"input[value='{name}']").check()
        rest(page)
        gaps[name] = number(page, "gap")
    assert len(set(gaps.values())) == len(gaps)
    assert max(gaps[name] for name in ("distilled", "decay_0.5", "decay_0.9")) < 0.5
    assert min(gaps[name] for name in ("decay_0.99", "decay_0.999")) > 1


def test_lesson_euler_steps_are_shown_and_hidden(page: Page) -> None:
    """Each number of steps is drawn when ticked, and misses the end by less the more steps there are."""
    for steps in (1, 5, 20):
        page.locator(f"#lab-show-{steps}").set_checked(steps != 1)
    rest(page)
    drawn = {steps: bool(page.locator(f"#lab-euler-{steps}").get_attribute("d")) for steps in (1, 5, 20)}
    assert drawn == {1: False, 5: True, 20: True}
    assert number(page, "euler-miss-1") > number(page, "euler-miss-5") > number(page, "euler-miss-20")


def test_lesson_jumps_step_by_step_with_fresh_noise(page: Page, networks: dict[str, Any]) -> None:
    """Jump, fresh noise, jump: as the sampler of the notebook would with the same noise, and then it ends."""
    fresh = [0.4, -0.9]
    page.evaluate("(fresh) => { lesson.lab.normal = () => fresh; }", fresh)
    button = page.locator("#lab-next")
    said = []
    while button.is_enabled():
        said.append(button.inner_text())
        button.click()
        rest(page)
    assert said == ["Jump from t = 1.00", "Mix with fresh noise, up to t = 0.50", "Jump from t = 0.50"]
    model, level = networks["distilled"], (1 + MODELS["sigma_min"]) / 2
    first = model(torch.tensor([noise(page)]), torch.ones(1))
    mixed = (1 - level) * first + level * torch.tensor([fresh])
    last = model(mixed, torch.tensor([level]))
    visited = torch.tensor(page.evaluate("lesson.lab.visited"))
    assert (visited - torch.cat([first, mixed, last])).abs().max() <= TOLERANCE
    page.locator("#lab-again").click()
    rest(page)
    assert page.evaluate("lesson.lab.visited") == []
    assert button.inner_text() == said[0]


def test_lesson_fresh_noise_is_standard_normal(page: Page) -> None:
    """The page's own noise: 20,000 numbers; each bound is six standard errors, a false alarm in 10^8 runs."""
    drawn = torch.tensor(page.evaluate("Array.from({ length: 10000 }, lesson.lab.normal)")).flatten()
    error = 1 / math.sqrt(len(drawn))
    assert drawn.mean().abs() < 6 * error
    assert (drawn.std() - 1).abs() < 6 * error / math.sqrt(2)
    assert (drawn.abs() < 1).float().mean().sub(0.6827).abs() < 6 * error * 0.4654


def test_lesson_questions_open_after_a_guess(page: Page) -> None:
    """Seven questions, by keys: no answer shows before a guess; each opens after one and says whether they agree."""
    questions = page.locator("form.question")
    assert questions.count() == 7
    for place in range(7):
        question = questions.nth(place)
        answer, button = question.locator(".answer"), question.locator("button")
        assert not answer.is_visible()
        assert button.is_disabled()
        assert question.locator("input[value='right']").count() == 1
        kind = "right" if place % 2 else "wrong"
        guess = question.locator(f"input[value='{kind}']").first
        guess.press("Enter")
        assert not answer.is_visible()
        guess.press("Space")
        assert not answer.is_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert answer.is_visible()
        assert question.locator(".verdict").inner_text().startswith("Your guess" if place % 2 else "The answer")
        assert question.locator("label.is-right input").get_attribute("value") == "right"
        assert answer.evaluate("(it) => it === document.activeElement")


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_lesson_page_is_accessible(browser: Browser, width: int, dark: bool) -> None:
    """axe-core finds nothing, with the answers open too; nothing is cut off; words in figures are legible and apart."""
    with open_page(browser, RELEASED, width=width, dark=dark) as page:
        page.evaluate("for (const answer of document.querySelectorAll('.answer')) answer.hidden = false")
        assert violations(page) == []
        assert not is_cut_off(page)
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate(ILLEGIBLE) == []


def test_lesson_prints_answers_and_no_buttons(browser: Browser) -> None:
    """On paper the ground is white also in the dark, answers are open, and nothing asks to be pressed."""
    with open_page(browser, RELEASED, dark=True) as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator(".answer").last.is_visible()
        assert not page.locator("#lab-next").is_visible()
        assert page.locator("#lab-models label:visible").all_inner_texts() == ["full run, decay 0.9"]
        assert not page.locator("form.question button").first.is_visible()


def test_lesson_is_read_without_scripts(browser: Browser) -> None:
    """Where scripts are off, all text and every answer are there, and a sentence stands where the figure would."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(RELEASED.as_uri())
    assert page.locator(".answer").last.is_visible()
    assert page.locator("noscript p").is_visible()
    assert not page.locator("#lab").is_visible()
    context.close()


def test_lesson_is_small_and_of_one_piece() -> None:
    """Under three megabytes, and nothing in it names another file."""
    text = RELEASED.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST_BYTES
    assert NAME in str(RELEASED)
    assert ' src="' not in text
    assert "@import" not in text
    assert "url(" not in text


def test_lesson_quotes_the_latest_measurement() -> None:
    """What benchmarks/claims.py has measured is what the lesson's numbers are made of."""
    measured = COURSE / "benchmarks" / "results" / "claims.json"
    assert (find_assignment(COURSE).lesson / "claims.json").read_bytes() == measured.read_bytes()
