"""Downloads of course systems: whose each file is, by the names that Canvas and Moodle give it.

Canvas     lovelaceada_1001_70531_NAME.ipynb, with _LATE before 1001, or anon_x7kp2 in place of name and
           number; handed in a second time it is NAME-1.ipynb. Text instead of a file: ..._1001_text.html
Moodle     "Ada Lovelace_4711_assignsubmission_file" with the files in it, or that before a file's name

The students are the numbers, 1001 and 4711: names are not unique. Canvas's gradebook has them as ID, Moodle's grading
worksheet as Participant 4711.
"""

import re
from collections.abc import Mapping

_CANVAS = re.compile(
    r"(?:\w+?_(?:LATE_)?(?P<number>[0-9]+)|(?:LATE_)?(?P<anonymous>anon_[A-Za-z0-9]+))"
    r"_(?:text\.html|link\.html|[0-9]+_(?P<file>.+))",
    re.DOTALL,
)
# The first number counts: what follows is the student's to choose, and may look like another's.
_MOODLE = re.compile(r".*?_(?P<number>[0-9]+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?", re.DOTALL)
_AGAIN = re.compile(r"-[0-9]+(?=\.ipynb$)")  # Canvas's mark of a second hand-in
MACS_OWN = "__MACOSX"  # what macOS adds to an archive

Sent = dict[str, dict[str, str]]  # student: the entries of the folder, each with the name that the student gave it


def sent_through(entries: Mapping[str, bool]) -> tuple[str, Sent]:
    """Return the course system whose download a folder is, and what it holds; "" and nothing where it is none.

    `entries`: the names in it, and of each whether it is a folder or a notebook. One of these that another system or a
    person named makes the whole folder none; of other files the named ones count, since they too were handed in.
    """
    for system, read in (("Canvas", _canvas), ("Moodle", _moodle)):
        found = {name: read(name) for name in entries if name != MACS_OWN}
        if any(who is None and entries[name] for name, who in found.items()):
            continue
        sent: Sent = {}
        for name, who in found.items():
            if who is not None:
                sent.setdefault(who[0], {})[name] = who[1]
        if sent:
            return system, dict(sorted(sent.items()))
    return "", {}


def _canvas(name: str) -> tuple[str, str] | None:
    found = _CANVAS.fullmatch(name)
    if found is None:
        return None
    return found["number"] or found["anonymous"], _AGAIN.sub("", found["file"] or "")


def _moodle(name: str) -> tuple[str, str] | None:
    found = _MOODLE.fullmatch(name)
    return None if found is None else (found["number"], found["file"] or "")
