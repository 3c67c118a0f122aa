"""The commands, a module a group: each has `add(commands)`, and a function a command that calls one of the package.

`autograder.cli` names the modules, in the order of `--help`. It imports all of them at each start, so nothing of weight
is imported before a command's own function needs it.
"""
