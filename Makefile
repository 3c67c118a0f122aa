# The main job and the tests, set-up included. `make help` lists what there is.

PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 2 --dist loadgroup --durations=10
INSTALLED := .venv/installed
RELEASED := build/released
NOTEBOOK := consistency-models/consistency-models.ipynb

# nbgrader calls alembic by name, so the environment's commands must be on the path.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help grade test test-all lint check release lesson notebook system browser clean
.DEFAULT_GOAL := help

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

grade: $(RELEASED)  ## build the release and grade a sample class of five in build/
	$(BIN)/python -m tests.sample_class build/sample-class
	$(BIN)/autograder grade build/sample-class --out build/results --gradebook sqlite:///$(CURDIR)/build/gradebook.db

test: lint browser  ## lint, types and the tests that decide whether a change is right, in minutes
	$(PYTEST) -m 'not full'

test-all: lint browser  ## lint, types and all tests, as CI runs them
	$(PYTEST)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: $(INSTALLED)  ## the assignment proves itself: the release is fresh, marks are right
	$(BIN)/autograder release --check
	$(BIN)/autograder validate

release: $(RELEASED)  ## build release/ from source/, where it is not newer

lesson: $(INSTALLED)  ## build the lesson's page, release/consistency-models/lesson.html
	$(BIN)/autograder lesson

notebook: $(INSTALLED)  ## open the instructor's notebook
	$(BIN)/jupyter lab source/$(NOTEBOOK)

clean:  ## remove what was built, keep the environment
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Phony, but order-only below: it is looked after every time and forces nothing.
system:
	@.ci/system "$(PYTHON)"

browser:
	@.ci/system --browser

# The release itself is named too: a change there by hand, or by a merge, is built over.
$(RELEASED): source/$(NOTEBOOK) $(wildcard source/consistency-models/lesson/* release/consistency-models/*) \
		nbgrader_config.py $(wildcard autograder/release/*.py autograder/lesson/*.py autograder/lesson/templates/* autograder/assignments/*/lesson_*.py) \
		| $(INSTALLED)
	$(BIN)/autograder release
	@mkdir -p build && touch $@

# torch==2.13.0 in constraints.txt keeps any package's wider range from fetching another build of it.
# hatchling first: an isolated build would fetch it anew each time.
$(INSTALLED): pyproject.toml constraints.txt | system
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch hatchling
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
