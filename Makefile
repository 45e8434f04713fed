# Two commands do everything on a fresh machine:
#   make run    runs the pipeline on the MovieLens sample
#   make test   passes the tests
SHELL := /bin/bash
# Names the Python of `make setup`; without it, one is found (requirements/choose.sh).
export PYTHON
VENV := .venv
BIN := $(VENV)/bin
UV := .venv-uv/bin/uv
LOCK := $(UV) pip compile --quiet --generate-hashes --no-strip-extras --no-emit-index-url
LOCK_310 := $(LOCK) --python-version 3.10 --python-platform x86_64-manylinux_2_28
LOCK_312 := $(LOCK) --python-version 3.12 --python-platform x86_64-manylinux_2_39 --override requirements/py312-overrides.txt
RUN_ROOT ?= runs/sample
# Processes that share the suite, a file of tests at a time. Each takes about 3 GiB.
TEST_WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile
ORCHESTRATORS := .venv-orchestrators
LEARNING_PEERS := .venv-learning-peers
DOCS := .venv-docs
PEERS_PYTHON ?= python3.11
LEARNING_DATA ?= build/learning/sample
LEARNING := $(BIN)/python -W ignore -m benchmarks.learning
LEARNING_OPTIONS ?= --threads 2
COMPILE_CONFIG ?= movielens-small
KUBEFLOW_ROOT ?=
export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL := 2

.PHONY: setup setup-orchestrators setup-benchmarks setup-learning-peers setup-retrieval-peers bench-learning run test unit test-all test-debian13 e2e check format lint types \
  lock golden bench compile serve airflow-test docs clean

setup:
	@requirements/install.sh $(VENV) dev

run: setup
	$(BIN)/heed run --config movielens-small --root $(RUN_ROOT)

test: setup
	$(PYTEST) tests -m "not slow"

unit: setup
	$(PYTEST) tests/unit tests/properties

test-all: setup
	$(PYTEST) tests

e2e: setup
	$(BIN)/python -m pytest tests/e2e

# As root, outside CI: both commands on a fresh Debian 13. It prints what it does.
test-debian13: setup
	.ci/debian13

check: lint types test

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

# The Kubeflow compiler needs kfp, which is in the other environment. KUBEFLOW_ROOT names a
# place that all pods can reach; without it each run is asked for one.
compile: setup setup-orchestrators
	$(ORCHESTRATORS)/bin/heed compile --runner kubeflow --config $(COMPILE_CONFIG) $(if $(KUBEFLOW_ROOT),--root $(KUBEFLOW_ROOT)) --output build/heed-kubeflow.yaml
	$(BIN)/heed compile --runner airflow --config $(COMPILE_CONFIG) --root $(RUN_ROOT)-airflow --output build/heed_airflow_dag.py

# Compiles for both, runs the whole pipeline under Airflow three times, and step by step
# from Kubeflow's specification: about half an hour on two cores.
airflow-test: setup setup-orchestrators
	$(ORCHESTRATORS)/bin/python -m pytest tests/pipeline -k orchestrators -rs

serve: setup
	$(BIN)/heed serve --models $(RUN_ROOT)/serving_models/heed

# Both sets are locked on any machine; -c keeps what is installed in several places alike.
lock: setup
	$(LOCK_310) requirements/py310-dev.in -o requirements/py310-dev.lock
	$(LOCK_310) -c requirements/py310-dev.lock requirements/py310.in -o requirements/py310.lock
	$(LOCK_310) requirements/py310-orchestrators.in -o requirements/py310-orchestrators.lock
	$(LOCK_312) requirements/py312-dev.in -o requirements/py312-dev.lock
	$(LOCK_312) -c requirements/py312-dev.lock requirements/py312.in -o requirements/py312.lock
	$(LOCK_312) -c requirements/py312-dev.lock requirements/py312-serving.in -o requirements/py312-serving.lock
	$(LOCK_312) requirements/py312-orchestrators.in -o requirements/py312-orchestrators.lock
	$(LOCK) --python-version 3.10 --universal requirements/docs.in -o requirements/docs.lock

setup-orchestrators:
	@requirements/install.sh $(ORCHESTRATORS) orchestrators

# The peers of benchmarks/ingestion, apart from the product's pins.
setup-benchmarks: setup
	@test -x .venv-benchmarks/bin/python || $(UV) venv --quiet --python $(BIN)/python .venv-benchmarks
	$(UV) pip install --quiet --python .venv-benchmarks/bin/python -r benchmarks/ingestion/requirements-polars.txt

# PyTorch and RecBole, for benchmarks/learning alone: pip, because the CPU build of
# PyTorch is a matter of the machine's own index settings.
setup-learning-peers: $(LEARNING_PEERS)/.synced

$(LEARNING_PEERS)/.synced: benchmarks/learning/requirements-peers.txt
	@$(PEERS_PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11)' 2>/dev/null || \
	  { echo "The peers need Python 3.11 as '$(PEERS_PYTHON)': install it, or set PEERS_PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(LEARNING_PEERS)/bin/python || $(PEERS_PYTHON) -m venv $(LEARNING_PEERS)
	$(LEARNING_PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# FAISS and hnswlib, for `python -m benchmarks.retrieval`.
setup-retrieval-peers: setup
	@test -x .venv-retrieval-peers/bin/python || $(UV) venv --quiet --python $(BIN)/python .venv-retrieval-peers
	$(UV) pip install --quiet --python .venv-retrieval-peers/bin/python -r benchmarks/retrieval/requirements.txt

# Speed first: minutes. The accuracy grid takes hours; one broken off goes on.
bench-learning: setup setup-learning-peers
	$(LEARNING) prepare --data $(LEARNING_DATA) --config movielens-small
	$(LEARNING) speed --data $(LEARNING_DATA) $(LEARNING_OPTIONS) --output $(LEARNING_DATA)/speed.json
	$(LEARNING) input --data $(LEARNING_DATA) $(LEARNING_OPTIONS) --output $(LEARNING_DATA)/input.json
	$(LEARNING) accuracy --data $(LEARNING_DATA) $(LEARNING_OPTIONS) --epochs 30 --prefix-length 50 \
	  --batch-examples 512 --seeds 3 --budget-cpu-sec 2400 --output $(LEARNING_DATA)/accuracy.json

# The documentation site, in build/site. Reference and results are written from the code
# and from benchmarks/results; a broken link or a misspelt word ends it.
docs: setup $(DOCS)/.synced
	$(BIN)/python -m docs.site build/docs
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --quiet
	$(DOCS)/bin/python -m codespell_lib

$(DOCS)/.synced: requirements/docs.lock | setup
	@test -x $(DOCS)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(DOCS)
	$(UV) pip sync --quiet --python $(DOCS)/bin/python --require-hashes requirements/docs.lock
	@touch $@

clean:
	rm -rf build dist *.egg-info runs
