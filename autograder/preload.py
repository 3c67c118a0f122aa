"""What every worker of a class needs, loaded once, by the fork server that starts them; nobody else imports it."""

from autograder.uncollected import uncollected

# Frozen, so that collections in a worker do not touch, and thereby copy, the pages that it shares with the others.
with uncollected():
    import autograder.judge
    import autograder.marking  # noqa: F401
