# Every verb installs what it needs into .venv first; CI calls the same ones.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO_OUT ?= firstlight-results

.PHONY: demo test lint format bench lock clean

demo: $(READY)  ## train one network under six starts on real digits and compare them
	$(BIN)/firstlight compare --out $(DEMO_OUT)

test: $(READY)  ## run every test and doctest
	@# one thread for each worker: two workers of two threads on two cores wait for each other
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## speed and memory of fills, models, shards, audits, tangent kernels and loading, against rivals
	@$(PIP) --no-build-isolation -e '.[bench]'
	@code=0; for each in fills models scale audit tangent_kernel fields depth_study sweep loading; do $(BIN)/python benchmarks/$$each.py || code=1; done; exit $$code

# torch's CUDA packages stay out of the lock: pip adds them where the torch build at hand needs them.
lock: $(READY)  ## resolve requirements.lock anew, for every Python from 3.10
	$(BIN)/uv pip compile pyproject.toml --group dev --extra compare --extra fields --extra physics --extra vision --extra hf --extra ray \
	    --universal --python-version 3.10 --no-header --no-annotate \
	    2>/dev/null | grep -v -E '^(nvidia-|cuda-|triton)' > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:  ## remove the environment and caches
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	    || { echo "firstlight needs Python 3.10 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	    || { echo "$(PYTHON) cannot make environments; on Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv (once; torch with CUDA is a few gigabytes) ..."
	@$(PYTHON) -m venv .venv
	@# bytecode is made of what is imported, when it is imported: most of these files never are
	@$(PIP) --no-compile -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
