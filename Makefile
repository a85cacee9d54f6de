# A target first installs what it needs into .venv, and no more; the files .venv/created and
# .venv/installed-* record that, so that this happens again only when the requirements change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

# The matrices here are small: threads that share one only wait for each other.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: help venv install demo digits gpt autoencoder pinn larger-than-memory notebook assets frames docs tests tests-thorough tests-versions tests-oldest tests-large fuzz mutants release-check browser-tests gpu-tests bench bench-readme gpu-bench lint types stub mistakes numpy-functions format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

venv: $(VENV)/created ## create the virtual environment .venv

install: $(VENV)/installed-dev ## install the package and what its development needs

demo: $(VENV)/installed-examples ## teach a network the two moons and draw how it learnt them
	@$(BIN)/python examples/moons.py

digits: $(VENV)/installed-examples ## teach a convolutional network to read digits
	@$(BIN)/python examples/digits.py

gpt: $(VENV)/installed-examples ## teach a transformer to write like Python's documentation
	@$(BIN)/python examples/gpt.py

autoencoder: $(VENV)/installed-examples ## draw a map of digits, which a network finds by itself
	@$(BIN)/python examples/autoencoder.py

pinn: $(VENV)/installed-examples ## solve a differential equation with a network
	@$(BIN)/python examples/pinn.py

larger-than-memory: $(VENV)/installed-dask $(VENV)/installed-examples ## fit a model to data on disk
	@$(BIN)/python examples/larger_than_memory.py

notebook: $(VENV)/installed-notebooks ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) examples

assets: $(VENV)/installed-dev ## draw the pictures of the README again
	$(BIN)/python examples/computational_graph.py assets/computational_graph.svg
	$(BIN)/python examples/moons.py --output assets

frames: $(VENV)/installed-dev ## photograph four steps of the step-by-step page with Chromium
	$(BIN)/python examples/backpropagation.py backprop.html
	for step in 4 6 8 10; do chromium --headless --no-sandbox --hide-scrollbars \
	--window-size=1000,640 --screenshot=assets/backprop_$$step.png \
	"file://$(CURDIR)/backprop.html#step=$$step" 2>/dev/null || exit 1; done
	rm backprop.html

docs: $(VENV)/installed-docs ## build the documentation into docs/_build
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build/html
	@echo "Open docs/_build/html/index.html."

tests: $(VENV)/installed-dev ## run the test suite
	$(BIN)/pytest --numprocesses auto

tests-thorough: $(VENV)/installed-dev ## search for new counterexamples, for an hour or so
	$(BIN)/pytest --numprocesses auto --hypothesis-profile thorough

tests-versions: $(VENV)/created ## run the tests on every Python here, with the oldest and the newest NumPy
	$(BIN)/python tests/versions.py $(TESTS)

tests-oldest: $(VENV)/installed-dev $(VENV)/oldest ## run the tests of NumPy's words with the oldest NumPy
	PYTHONPATH=$(VENV)/oldest $(BIN)/pytest --numprocesses auto --hypothesis-profile few \
	tests/test_numpy.py tests/test_numpy_functions.py tests/test_operations.py tests/test_engine.py

tests-large: $(VENV)/installed-dev ## try a million names, nodes and so on, which takes minutes
	$(BIN)/pytest tests/large.py

fuzz: $(VENV)/installed-dev ## compare random graphs with PyTorch: make fuzz SECONDS=600 SEED=1
	PYTHONPATH=.:tests $(BIN)/python tests/fuzz.py $(or $(SECONDS),60) $(or $(SEED),0)

mutants: $(VENV)/installed-dev ## would the tests notice a change? make mutants SECONDS=600 FILES=engine.py SEED=1
	PYTHONPATH=.:tests $(BIN)/python tests/mutants.py --seconds $(or $(SECONDS),600) --seed $(or $(SEED),0) $(FILES)

release-check: $(VENV)/installed-release ## build wheel and sdist and try each in an empty environment
	rm -rf dist
	$(BIN)/python -m hatchling build
	$(BIN)/twine check --strict dist/*
	$(BIN)/python tests/release_check.py

browser-tests: $(VENV)/installed-dev $(VENV)/installed-browser ## use the step-by-step page in Chromium
	@command -v chromium chromedriver >/dev/null || { echo \
	"this needs a browser: apt-get install chromium chromium-driver"; exit 1; }
	$(BIN)/pytest tests/browser_page.py

gpu-tests: ## run the tests of GPUs on a GPU, by CuPy; make tests has them on a stand-in for it
	@$(need_gpu)
	@$(MAKE) --no-print-directory $(VENV)/installed-dev $(VENV)/installed-cuda
	TINYTORCH_GPU=1 $(BIN)/python -m pytest -W default tests/test_cupy.py tests/test_cupy_networks.py \
		tests/test_cupy_op_db.py tests/test_cupy_tensors.py tests/test_cupy_compile.py \
		tests/test_cupy_scipy.py

bench: $(BENCH)/installed ## race PyTorch, JAX and others; make bench quick=1 takes a minute
	$(BENCH)/bin/python -m benchmarks $(if $(quick),--quick)

bench-readme: $(BENCH)/installed ## the same, and put the results into docs and the README's chart
	$(BENCH)/bin/python -m benchmarks --chart assets/benchmark.svg --readme docs/speed.md

gpu-bench: ## race PyTorch and JAX on a GPU
	@$(need_gpu)
	@$(MAKE) --no-print-directory $(BENCH)/installed
	@$(BENCH)/bin/pip install --quiet --disable-pip-version-check --editable '.[cuda]' 'jax[cuda12]'
	$(BENCH)/bin/python -m benchmarks.gpu

lint: $(VENV)/installed-dev ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/installed-dev ## check the types
	$(BIN)/mypy

stub: $(VENV)/installed-dev ## write what type checkers and editors see of the operations
	PYTHONPATH=. $(BIN)/python tests/write_stub.py

mistakes: $(VENV)/installed-dev ## write the page of beginners' mistakes from its test
	PYTHONPATH=.:tests $(BIN)/python tests/write_mistakes.py

numpy-functions: $(VENV)/installed-dev ## write the list of NumPy's functions from the code
	PYTHONPATH=.:tests $(BIN)/python tests/write_numpy_functions.py

format: $(VENV)/installed-dev ## format the code and mend what can be mended automatically
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

clean: ## remove pictures, caches and builds, but not .venv
	rm -rf docs/_build docs/notebooks moons-pictures digits-pictures autoencoder-pictures pinn-pictures gpt-results build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

need_gpu = nvidia-smi --list-gpus 2>/dev/null | grep -q GPU || { echo \
	"This needs an NVIDIA GPU, and nvidia-smi finds none here."; exit 1; }

# Empty if PYTHON is Python 3.11 or later, else what it is.
unfit = $(shell { $(PYTHON) -c \
	'import sys; sys.version_info >= (3, 11) or sys.stdout.write("%d.%d" % sys.version_info[:2])'; \
	} 2>/dev/null || echo missing)

$(VENV)/created:
	$(if $(unfit),$(error TinyTorch needs Python 3.11 or later, and $(PYTHON) is $(unfit): \
	name another one, as in `make PYTHON=python3.12 $(MAKECMDGOALS)`))
	$(PYTHON) -m venv $(VENV)
	@touch $@

# installed-X: the package, editable, with its extra X, in the versions of requirements.txt.
$(VENV)/installed-%: $(VENV)/created pyproject.toml requirements.txt
	@echo "Installing into $(VENV) what this needs. That takes a while, but only once."
	@$(BIN)/pip install --quiet --disable-pip-version-check \
		--constraint requirements.txt --editable '.[$*]'
	@touch $@

# The oldest NumPy that is supported, to be put before the installed one.
$(VENV)/oldest: $(VENV)/created
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target $@ 'numpy==2.0.*'

# The benchmark's peers have an environment to themselves.
$(BENCH)/installed: $(VENV)/created pyproject.toml benchmarks/requirements.txt
	$(BIN)/python -m venv $(BENCH)
	@echo "Installing into $(BENCH) what this needs. That takes a while, but only once."
	@$(BENCH)/bin/pip install --quiet --disable-pip-version-check \
		--requirement benchmarks/requirements.txt --editable .
	@touch $@
