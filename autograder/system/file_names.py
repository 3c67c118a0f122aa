"""Names of files made from students' names: safe on every system, different for different students."""

import hashlib
import unicodedata

LONGEST_NAME = 180  # bytes; a file name may have 255, and `.json` and a little more is added
_RESERVED = frozenset({"index", "anonymous", "staff"})  # OUT/index.html and the like are no student's
# Separators, and what Windows, a shell, an URL or our own encoding would read otherwise.
_UNSAFE = frozenset("/\\%:*?\"<>|#&;'`$=+@~")


def file_name(student: str) -> str:
    """Return the name, without its suffix, of a student's files: different for different students.

    What is unsafe in a file name is percent-encoded; a very long name is cut and ends in its hash.
    """
    name = "".join(_encoded(char) if _is_unsafe(char) else char for char in student)
    if not name or name[0] in ".- " or name.lower() in _RESERVED:
        name = _encoded(name[:1]) + name[1:]
    if name[-1:] in (".", " "):
        name = name[:-1] + _encoded(name[-1])
    if len(name.encode("utf-8")) > LONGEST_NAME:
        head = name.encode("utf-8")[:100].decode("utf-8", "ignore")
        name = f"{head}~{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return name


def _is_unsafe(char: str) -> bool:
    # Control, format (bidi marks), surrogates, line ends, and spaces other than the ordinary one.
    return char in _UNSAFE or (char != " " and unicodedata.category(char)[0] in "CZ")


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass")) or "%"
