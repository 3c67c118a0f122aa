"""What the lesson's builder refuses: numbers without an origin, blocks that do not close, a page that needs others."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import find_assignment
from autograder.errors import ReleaseFault
from autograder.lesson.facts import Runs
from autograder.lesson.page import LARGEST_BYTES, Lesson
from autograder.lesson.self_contained import prove_whole
from autograder.release.build import lesson_of
from tests.notebooks import NAME

COURSE = Path(__file__).parents[2]
QUESTION = ":::: question\nWhy?\n\n- [ ] So.\n- [x] Because.\n\n::: answer\nIt is.\n:::\n::::\n"
Edit = Callable[[str, str, str], None]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a copy of the course's source, which is all that a lesson is made of."""
    shutil.copytree(COURSE / "source" / NAME, tmp_path / "source" / NAME)
    return tmp_path


@pytest.fixture
def edit(course: Path) -> Edit:
    """Return what replaces words that stand once in a file of the lesson."""

    def replace(name: str, old: str, new: str) -> None:
        path = find_assignment(course).lesson / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


def measure_again(course: Path, key: str, change: Callable[[float], float]) -> None:
    """Change one measurement in every run."""
    path = find_assignment(course).lesson / "claims.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for run in record["runs"]:
        run[key] = change(run[key])
    path.write_text(json.dumps(record), encoding="utf-8")


def append(course: Path, text: str) -> None:
    """Write something below the lesson's last line."""
    with (find_assignment(course).lesson / "lesson.md").open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


def refused(course: Path) -> str:
    """Return why the lesson is not built."""
    with pytest.raises(ReleaseFault) as caught:
        lesson_of(find_assignment(course)).page()
    return str(caught.value)


def test_lesson_numbers_are_those_of_the_data(course: Path) -> None:
    """After another measurement the page shows another number, in text, table and figure alike."""
    before = lesson_of(find_assignment(course)).page().decode()
    measure_again(course, "w2.jumps_2", lambda w2: w2 + 0.002)
    after = lesson_of(find_assignment(course)).page().decode()
    shown = re.compile(r'title="measured: mean w2\.jumps_2 [^"]*">([\d.]+)<')
    assert [float(text) + 0.002 for text in shown.findall(before)] == pytest.approx(
        list(map(float, shown.findall(after)))
    )
    assert shown.search(before)


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("lesson.md", "here it is {{w2_data}}", "here it is {{w2_dta}}", "asks for the number 'w2_dta'"),
        ("lesson.md", "here it is {{w2_data}}", "here it is 0.119", "the number 0.119 has no fact"),
        ("lesson.md", "here it is {{w2_data}}", "here it is small", "does not use: w2_data"),
        ("lesson.md", "of length one:\n\n$$x -", "of length 7:\n\n$$x -", "the number 7 has no fact"),
        ("lesson.md", "::: figure levels", "::: figure level", "asks for the figure 'level'"),
        ("lesson.md", "(#section-10)", "(#section-99)", "leads to '#section-99', which is nowhere"),
        ("lesson.md", "$f(x_t, t)$. Then", "$\\gradient(x_t, t)$. Then", r"\gradient cannot be rendered"),
        ("lesson.md", "[jump]{.term}", "jump", "'jump' is never explained"),
        (
            "lesson.md",
            "This lesson is about a way",
            "This lesson on distillation is about a way",
            "'distillation' is used",
        ),
        ("facts.toml", 'w2_data = "mean w2.data"', 'w2_data = "mean w2.dta"', "no measurement 'w2.dta'"),
        ("facts.toml", 'w2_data = "mean w2.data"', 'w2_data = "about w2.data"', "'about w2.data' is no expression"),
        ("facts.toml", 'notebook = "sigma_min=0.002"', 'notebook = "sigma_min=0.003"', "the notebook does not hold"),
        ("facts.toml", "[reference.hu2021]", "[reference.hu", "facts cannot be read"),
        ("models.json", '"prelude_sha256": "', '"prelude_sha256": "0', "made by another prelude"),
        ("models.json", '"first": 0,\n   "count": 66818', '"first": 0,\n   "count": 66817', "and models.json tells of"),
    ],
    ids=lambda value: value if " " in value and "\n" not in value else "",
)
def test_lesson_with_a_slip_is_not_built(course: Path, edit: Edit, name: str, old: str, new: str, reason: str) -> None:
    """Each slip of the sources stops the build with a sentence that says what and where."""
    edit(name, old, new)
    assert reason in refused(course)


def test_expression_of_a_difference_is_that_of_each_run() -> None:
    """The mean and the spread of a difference are those of the runs' own differences."""
    runs = Runs({"date": "", "versions": {}, "seeds": 2, "runs": [{"a.1": 3.0, "b.1": 1.0}, {"a.1": 5.0, "b.1": 3.0}]})
    assert runs.value("mean a.1 - b.1") == 2
    assert runs.value("sd a.1 - b.1") == 0
    assert runs.value("sd a.1") > 1


def test_lesson_that_says_more_than_was_measured_is_not_built(course: Path) -> None:
    """Where a new measurement turns a comparison around, the sentence that makes it is named."""
    measure_again(course, "decay.0.5", lambda error: error + 0.1)
    assert "in the short run decay 0.5 is better than none" in refused(course)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (QUESTION.removesuffix("::::\n"), "the block 'question' is not closed"),
        (QUESTION.replace(":::\n::::", "::::"), "the block 'answer' is not closed"),
        (QUESTION + "::::\n", "begin no block that there is, or end one that is not open"),
        (QUESTION.replace(":::: question", ":::: qestion"), "begin no block that there is"),
        (QUESTION.replace("[ ]", "[x]"), "of which one is"),
        (QUESTION.replace("[x]", "[ ]"), "of which one is"),
        (QUESTION.replace("- [ ] So.\n", ""), "of which one is"),
        (QUESTION.replace("- [ ] So.", "- So."), "of which one is"),
        (QUESTION.replace("::: answer\nIt is.\n:::\n", ""), "and one answer"),
        ("![A picture](picture.png)", '<img src="picture.png"> is not in the page itself'),
        ("[A file](notes.html)", '<a href="notes.html"> is not in the page itself'),
    ],
    ids=lambda value: value if ":::" not in value and "\n" not in value else "",
)
def test_lesson_with_a_broken_block_is_not_built(course: Path, text: str, reason: str) -> None:
    """A block that does not close, a question that cannot be guessed at, or a picture elsewhere stops the build."""
    append(course, text)
    assert reason in refused(course)


def test_lesson_takes_a_whole_question(course: Path) -> None:
    """The question that the slips above are made of is itself in order."""
    before = lesson_of(find_assignment(course)).page().count(b'<form class="question">')
    append(course, QUESTION)
    assert lesson_of(find_assignment(course)).page().count(b'<form class="question">') == before + 1


def test_lesson_too_large_for_a_phone_is_not_built(course: Path) -> None:
    """Over three megabytes the build stops, and says how large the page is."""
    append(course, "word " * (LARGEST_BYTES // 5))
    assert "may be sent to a phone" in refused(course)


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example/math.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/a.css">',
        "<style>@import 'more.css';</style>",
        "<style>p { background: url(paper.png); }</style>",
        '<p style="background: url(paper.png)">',
        '<iframe src="//video.example/1"></iframe>',
    ],
)
def test_lesson_page_that_loads_something_is_refused(element: str) -> None:
    """Whatever a browser would fetch by itself is named."""
    with pytest.raises(ReleaseFault, match="not in the page itself"):
        prove_whole(f"<body>{element}</body>")


def test_lesson_page_may_cite_and_link_within() -> None:
    """Links that a reader follows, to a paper or within the page, load nothing."""
    prove_whole('<p id="here"><a href="https://arxiv.org/abs/2303.01469">paper</a> <a href="#here">here</a></p>')


def test_lesson_ids_stand_once() -> None:
    """Two places of one name make a link ambiguous."""
    with pytest.raises(ReleaseFault, match="'here' is the id of two places"):
        prove_whole('<p id="here"><b id="here"></b></p>')


def test_lesson_formula_keeps_its_full_stop_and_its_sign(course: Path) -> None:
    """No line begins with a point after a formula, and the minus of (1, -2) is a sign and no difference."""
    append(course, "So it ends at $(1, -2)$.")
    last = lesson_of(find_assignment(course)).prose.html.rpartition("So it ends at ")[2]
    assert last.startswith('<span class="together"><span class="math inline"><math')
    assert "</math></span>.</span>" in last
    assert last.count('form="prefix">&#x02212;') == 1


def test_lesson_of_an_assignment_without_pictures_is_text(course: Path) -> None:
    """An assignment may draw nothing: then its lesson has no figure, and no script but that of the questions."""
    folder = find_assignment(course).lesson
    with pytest.raises(ReleaseFault, match="which nobody draws"):
        Lesson(find_assignment(course)).page()
    facts = "measured = {}\npaper = {}\nstated = []\nterms = {}\nreference = {}\nholds = []\n"
    (folder / "facts.toml").write_text(f'{facts}[page]\ntitle = "Sorting"\nmeasured = "Nothing is measured."\n')
    (folder / "lesson.md").write_text(f"## How a list is sorted\n\nBy comparing.\n\n{QUESTION}")
    page = Lesson(find_assignment(course)).page().decode()
    assert "<title>Sorting</title>" in page
    assert page.count("<script") == 1
    assert 'class="lab"' not in page
