"""The small package that students install to check their notebook before they hand it in.

`check/` becomes a package of its own, beside the released notebook; `build` puts it together. It holds the
release, its visible checks, and the code by which the grader reads a file; no hidden check, no answer, no judge.
"""
