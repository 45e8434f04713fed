# Two commands do everything on a fresh machine with Python 3.10:
#   make run    runs the pipeline on the MovieLens sample
#   make test   passes the tests
SHELL := /bin/bash
PYTHON ?= python3.10
VENV := .venv
BIN := $(VENV)/bin
RUN_ROOT ?= runs/sample
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

.PHONY: setup setup-orchestrators setup-benchmarks setup-learning-peers setup-retrieval-peers bench-learning run test unit test-all e2e check format lint types \
  lock golden bench compile serve airflow-test docs clean

setup: $(VENV)/.synced

# uv is installed with pip; the lock carries hashes and no registry address. Bytecode is
# compiled once here: without it each process spends 10 s or more on it at import.
$(VENV)/.synced: requirements-dev.lock setup.py
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 10)' 2>/dev/null || \
	  { echo "Python 3.10 is needed as '$(PYTHON)': install it with your system's packages or pyenv, or set PYTHON=/path/to/python3.10"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

run: setup
	$(BIN)/heed run --config movielens-small --root $(RUN_ROOT)

test: setup
	$(BIN)/python -m pytest tests -m "not slow"

unit: setup
	$(BIN)/python -m pytest tests/unit tests/properties

test-all: setup
	$(BIN)/python -m pytest tests

e2e: setup
	$(BIN)/python -m pytest tests/e2e

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

lock:
	$(BIN)/uv pip compile -q --python-version 3.10 --generate-hashes --no-strip-extras --no-emit-index-url requirements-dev.in -o requirements-dev.lock
	$(BIN)/uv pip compile -q --python-version 3.10 --generate-hashes --no-strip-extras --no-emit-index-url -c requirements-dev.lock requirements.in -o requirements.lock
	$(BIN)/uv pip compile -q --python-version 3.10 --generate-hashes --no-strip-extras --no-emit-index-url requirements-orchestrators.in -o requirements-orchestrators.lock
	$(BIN)/uv pip compile -q --python-version 3.10 --universal --generate-hashes --no-strip-extras --no-emit-index-url requirements-docs.in -o requirements-docs.lock

setup-orchestrators: $(ORCHESTRATORS)/.synced

$(ORCHESTRATORS)/.synced: requirements-orchestrators.lock setup.py
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 10)' 2>/dev/null || \
	  { echo "Python 3.10 is needed as '$(PYTHON)': install it with your system's packages or pyenv, or set PYTHON=/path/to/python3.10"; exit 2; }
	@test -x $(ORCHESTRATORS)/bin/python || $(PYTHON) -m venv $(ORCHESTRATORS)
	@test -x $(ORCHESTRATORS)/bin/uv || $(ORCHESTRATORS)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(ORCHESTRATORS)/bin/uv pip sync --quiet --compile-bytecode --python $(ORCHESTRATORS)/bin/python --require-hashes requirements-orchestrators.lock
	$(ORCHESTRATORS)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@test -x $(ORCHESTRATORS)/bin/uv || $(ORCHESTRATORS)/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

# The peers of benchmarks/ingestion, apart from the product's pins.
setup-benchmarks: setup
	@test -x .venv-benchmarks/bin/python || $(PYTHON) -m venv .venv-benchmarks
	$(BIN)/uv pip install --quiet --python .venv-benchmarks/bin/python -r benchmarks/ingestion/requirements-polars.txt

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
setup-retrieval-peers: benchmarks/retrieval/requirements.txt
	@test -x .venv-retrieval-peers/bin/python || $(PYTHON) -m venv .venv-retrieval-peers
	.venv-retrieval-peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<

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
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --quiet
	$(DOCS)/bin/codespell

$(DOCS)/.synced: requirements-docs.lock | setup
	@test -x $(DOCS)/bin/python || $(BIN)/python -m venv $(DOCS)
	$(BIN)/uv pip sync --quiet --python $(DOCS)/bin/python --require-hashes requirements-docs.lock
	@touch $@

clean:
	rm -rf build dist *.egg-info runs
