"""nbformat, imported without an optional part that takes a second.

nbformat imports jsonschema, which imports rfc3987_syntax where that is installed (Jupyter brings it), which compiles a
grammar of internationalised addresses: more than a second of every cold `autograder score`, for a format that no
notebook's schema uses. jsonschema does without it when the import fails, so it fails while nbformat is imported.
"""

from __future__ import annotations

import sys

SLOW = "rfc3987_syntax"

_absent = SLOW not in sys.modules
if _absent:
    sys.modules[SLOW] = None  # type: ignore[assignment]
import nbformat  # noqa: E402  (after the entry above, which is the point)

if _absent:
    del sys.modules[SLOW]

__all__ = ["nbformat"]
