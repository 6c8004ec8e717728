# Thin on purpose: each verb is one command, which README.md also gives for those without make.
PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(BIN)/python
JOBS ?= 2

.PHONY: help env book serve pdf test test-all notebooks assignments grade lint format lock clean

help:            ## what each verb does
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:[^#]*##/:/'

env:             ## make .venv and install, unless done already (the other verbs call it)
	@$(PYTHON) tools/bootstrap.py

book: env        ## the finished site, in _build/html
	$(BIN)/jupyter-book build . -W -n --keep-going

serve: book      ## the site on http://localhost:8000
	$(RUN) -m http.server --directory _build/html --bind 127.0.0.1 8000

pdf: book        ## the whole book in one file, _build/adam-step-by-step.pdf; needs Chrome or Chromium
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[browser]"
	$(RUN) tools/make_pdf.py

test: env        ## package, notebooks and site
	$(RUN) -m pytest -n $(JOBS)

test-all: env    ## also the slow tests: a browser, other libraries, long runs
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[peers,browser,cluster,course]"
	$(RUN) -m pytest -n $(JOBS) -m "slow or not slow"

notebooks: env   ## execute every chapter in place, reproducibly
	$(RUN) tools/run_notebooks.py --jobs $(JOBS)

# TERM counts only if it is given to make: in the environment it names the kind of terminal.
TERM_OPTION := $(if $(findstring command,$(origin TERM)),--term "$(TERM)")

assignments: env ## make the assignments; for a course: TERM=2027s, with TERM_SECRET in the environment
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[course]"
	$(RUN) -m adamcore assignments $(TERM_OPTION)

grade: env       ## grade the notebooks in FOLDER, of the term TERM
	$(if $(FOLDER),,$(error say what to grade: make grade FOLDER=path/to/submissions))
	$(RUN) -m adamcore grade "$(FOLDER)" --jobs $(JOBS) $(TERM_OPTION) $(if $(AUTOGRADERS),--autograders "$(AUTOGRADERS)")

lint: env        ## ruff, nothing changed
	$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

format: env      ## ruff, in place
	$(RUN) -m ruff check --fix . ; $(RUN) -m ruff format .

lock: env        ## resolve tools/requirements.in into requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check uv
	$(RUN) tools/lock.py

clean:           ## remove what was built; .venv, recorded runs and the data cache stay
	rm -rf _build build .pytest_cache .ruff_cache .hypothesis .coverage mutants
