# Every target makes what it needs and does nothing twice. `make` alone lists them.
# Written for GNU make 3.81 (macOS) and later.

PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
MODEL  := models/latest.joblib
SITE   := $(CURDIR)/build/docs
UV     := uv==0.13.9

# Each stamp says that a step of the bootstrap was finished.
MADE := $(VENV)/.made
RUN  := $(VENV)/.run-ready
DEV  := $(VENV)/.dev-ready
WEB  := $(VENV)/.web-ready
DOCS := $(VENV)/.docs-ready
EXTRAS := $(VENV)/.extras-ready

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help train evaluate test test-web test-extras docs lint format check benchmark benchmark-accuracy lock clean

help: ## list the targets
	@echo 'usage: make TARGET [ARGS="..."] [PYTHON=python3.12]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

train: $(RUN) ## train a model (ARGS="--preset cs229", say)
	@echo $(TRAINING)
	$(BIN)/mnist-net train $(ARGS)

evaluate: $(RUN) $(MODEL) ## measure the model on the test set; train one first if there is none
	$(BIN)/mnist-net evaluate $(ARGS)

test: $(DEV) ## run the tests (ARGS="-m 'not slow'", ARGS=--cov, ARGS="-x -n0" for one process)
	@echo 'Running the tests, a worker on each core: about three minutes on two cores ...'
	@# Compiled tests are kept, whatever is set: to compile them anew takes each worker five seconds.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-web: $(WEB) ## test the page in a headless Chromium, and what it is in a browser alone
	$(BIN)/python -m pytest tests/web/page tests/export $(ARGS)

test-extras: $(EXTRAS) ## test what needs extras that are not in the other locks: onnx, safetensors, optuna, dask, skl2onnx, notebooks
	MNIST_NET_REQUIRE_EXTRAS=1 $(BIN)/python -m pytest tests/export tests/tuning tests/test_cluster.py tests/test_estimator_elsewhere.py tests/test_lock.py --ignore tests/export/test_web.py $(ARGS)
	$(BIN)/python -m pytest --nbmake docs/notebook.ipynb

docs: $(DOCS) ## build the documentation's site, build/docs/index.html, and test it
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs $(SITE)
	MNIST_NET_SITE=$(SITE) $(BIN)/python -m pytest tests/docs/site $(ARGS)
	@echo 'The site: $(SITE)/index.html'

lint: $(DEV) ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(DEV) ## put the code into the project's style
	$(BIN)/ruff check --fix --show-fixes
	$(BIN)/ruff format

check: lint test ## lint and test

benchmark: $(RUN) ## measure the speeds that the README quotes (ARGS="--only training")
	$(BIN)/python -m scripts.speed $(ARGS)

benchmark-accuracy: $(RUN) ## measure the accuracies that the README quotes (long)
	$(BIN)/python -m scripts.accuracy recipes $(ARGS)

lock: $(MADE) ## pin the dependencies anew (ARGS=--upgrade for the newest versions)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet '$(UV)'
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	$(COMPILE_MORE) requirements/web-test.in --output-file requirements/web-test.txt
	$(COMPILE_MORE) requirements/docs.in --output-file requirements/docs.txt
	$(COMPILE_MORE) pyproject.toml requirements/extras-test.in --extra cluster --extra onnx --extra safetensors --extra tune \
		--output-file requirements/extras-test.txt

clean: ## remove the environment, caches and build results; models stay
	rm -rf $(VENV) build dist tests/web/page/node_modules .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .tox
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One lock for every platform and Python, and one version of a package for all of them, so that
# a figure measured anywhere means the same.
COMPILE = $(BIN)/uv pip compile pyproject.toml --extra plot --extra report --extra heic --extra pdf --extra web --group build --universal \
	--fork-strategy fewest --python-version 3.11 --generate-hashes --quiet \
	--custom-compile-command 'make lock' $(ARGS)

# What few need stays out of the development lock, and agrees with it.
COMPILE_MORE = $(BIN)/uv pip compile --constraint requirements/dev.txt --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --quiet --custom-compile-command 'make lock' $(ARGS)

TRAINING = 'Training a network: first the data, unless they are here, then a minute or two ...'

$(MODEL): | $(RUN)
	@echo $(TRAINING)
	$(BIN)/mnist-net train

# --- the environment ---------------------------------------------------------------------------

$(MADE):
	@command -v '$(PYTHON)' >/dev/null && '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "mnist-net needs Python 3.11 or newer, and '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "'$(PYTHON)' cannot make virtual environments: on Debian and Ubuntu, sudo apt install python3-venv" >&2; exit 1; }
	'$(PYTHON)' -m venv $(VENV)
	@touch $@

# The locks are complete (tests/test_lock.py), so pip has nothing to resolve. Left to resolve, the
# pip of Python 3.11 and 3.12 passes over a pin whose package is also wanted with an extra, as
# pytest-cov wants coverage[toml], and stops at the newer version that it finds without a hash.
PIP = $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps

# The stamps are taken away while pip works: were it interrupted, half a package could pass for
# a whole one, so the next call starts from an empty environment.
define install
	@rm -f $(MADE) $(RUN) $(DEV) $(WEB) $(DOCS) $(EXTRAS)
	@echo 'Installing the pinned dependencies into $(VENV): half a minute to two minutes, once ...'
	@$(PIP) --require-hashes -r $(1)
	@$(PIP) --no-build-isolation --editable .
	@broken=$$($(BIN)/python -m pip check) || { echo "$$broken" >&2; exit 1; }
endef

$(RUN): requirements/run.txt pyproject.toml | $(MADE)
	$(call install,requirements/run.txt)
	@touch $(MADE) $(RUN)

# The development lock holds everything that the other does, at the same versions.
$(DEV): requirements/dev.txt pyproject.toml | $(MADE)
	$(call install,requirements/dev.txt)
	@touch $(MADE) $(RUN) $(DEV)

# A browser and Node come from the system; what they need besides is pinned, and fetched.
$(WEB): requirements/web-test.txt tests/web/page/package-lock.json | $(DEV)
	@for program in chromium node npm; do command -v $$program >/dev/null || { \
	    echo "the page's tests need $$program: on Debian and Ubuntu, sudo apt install chromium nodejs npm" >&2; exit 1; }; done
	@$(PIP) --require-hashes -r requirements/web-test.txt
	@npm ci --prefix tests/web/page --silent --no-audit --no-fund
	@touch $@

$(DOCS): requirements/docs.txt | $(DEV)
	@$(PIP) --require-hashes -r requirements/docs.txt
	@broken=$$($(BIN)/python -m pip check) || { echo "$$broken" >&2; exit 1; }
	@touch $@

$(EXTRAS): requirements/extras-test.txt | $(DEV)
	@echo 'Installing the extras into $(VENV) ...'
	@$(PIP) --require-hashes -r requirements/extras-test.txt
	@touch $@
