"""What every worker of a class needs, loaded once, by the fork server that starts them; nobody else imports it."""

from autograder.system.imports import uncollected

# Frozen, so that collections in a worker do not touch, and thereby copy, the pages that it shares with the others.
with uncollected():
    import autograder.grading.worker
    import autograder.judge.judge  # noqa: F401
