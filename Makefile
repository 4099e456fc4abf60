# Every target prints what it does with `make help`. Nothing is assumed but Python 3.11+, make and a package registry.
PYTHON ?= $(eval PYTHON := $(shell sh tools/find_python.sh))$(PYTHON)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SDK_VENV := .venv-published-sdk
SDK_STAMP := $(SDK_VENV)/.installed
CORE_TESTS := packages/server/tests/domain packages/protocol/tests
LOCKS := requirements/uv.lock requirements/dev.lock
PROJECTS := packages/protocol/pyproject.toml packages/client/pyproject.toml packages/server/pyproject.toml
AGENTS_DIR ?= $(HOME)/.cache/monkey-coder-agents
AGENTS_STAMP := $(AGENTS_DIR)/.installed
ROUTING_DATA ?= $(or $(MONKEY_CODER_DATA),../shared/data)/routing
RIVALS_DIR ?= $(HOME)/.cache/monkey-coder-rivals
RIVALS_STAMP := $(RIVALS_DIR)/.installed
NPM := npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-billing serve test agents check fmt rivals bench bench-page bench-memory bench-routing fuzz fuzz-api kills exact outages hosts rolling month exact-rates faults slow-sockets mutants lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with every locked dependency

$(STAMP): $(LOCKS) $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Monkey Coder needs Python 3.11 or newer; set PYTHON=/path/to/python3.11 and run make again."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e packages/protocol -e packages/client -e packages/server
	@touch $@

$(SDK_STAMP): requirements/published-sdk.lock | $(STAMP)
	@test -x $(SDK_VENV)/bin/python || $(PYTHON) -m venv --without-pip $(SDK_VENV)
	@VIRTUAL_ENV=$(SDK_VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/published-sdk.lock
	@touch $@

demo: $(STAMP) ## the whole product in one minute: gateway, simulated providers, one `monkey implement`
	@$(BIN)/python -m tools.demo

demo-billing: $(STAMP) ## pay on a page in a headless browser, spend it, take the rest back; every figure compared (needs the command chromium)
	@$(BIN)/python -m tools.demo_billing $(if $(PICTURES),--pictures $(PICTURES))

serve: $(STAMP) ## the gateway in the foreground on 127.0.0.1:8000, metrics on :9090, simulated providers where no key is set
	@$(BIN)/monkey-server serve --host 127.0.0.1 --port 8000 --metrics-port 9090 --sandbox

test: $(STAMP) $(SDK_STAMP) ## the whole test suite
	@echo "The core: every line and branch of the domain and the protocol"
	@$(BIN)/python -m pytest $(CORE_TESTS) --cov=monkey_coder_server.domain --cov=monkey_coder_protocol \
		--cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered
	@echo "Everything else"
	@$(BIN)/python -m pytest $(CORE_TESTS:%=--ignore=%)

$(AGENTS_STAMP): tests/agents/package-lock.json tests/aimock/package-lock.json requirements/agents-aider.lock requirements/agents-llm.lock | $(STAMP)
	@command -v node npm >/dev/null || { echo "The agents need Node.js 20 or newer with npm."; exit 1; }
	@for kind in agents aimock; do \
		mkdir -p $(AGENTS_DIR)/$$kind && cp tests/$$kind/package.json tests/$$kind/package-lock.json $(AGENTS_DIR)/$$kind/ && \
		(cd $(AGENTS_DIR)/$$kind && $(NPM)) || exit 1; \
	done
	@for agent in aider llm; do \
		test -x $(AGENTS_DIR)/$$agent/bin/python || $(PYTHON) -m venv --without-pip $(AGENTS_DIR)/$$agent; \
		VIRTUAL_ENV=$(AGENTS_DIR)/$$agent $(BIN)/uv pip install --quiet --require-hashes -r requirements/agents-$$agent.lock || exit 1; \
	done
	@touch $@

agents: $(AGENTS_STAMP) ## real coding agents, installed outside the repository (2 GB), do their tasks through the gateway
	@AGENTS_DIR=$(AGENTS_DIR) $(BIN)/python -m pytest tests/agents tests/aimock -m agents -n 2

fuzz-api: $(STAMP) ## send what the OpenAPI document allows to every route, EXAMPLES times each (default 50), minutes long
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),50) $(BIN)/python -m pytest tests/test_openapi_fuzzed.py -n 0

check: $(STAMP) ## format, lint, types, import rules, dead code, dependencies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.lint
	@$(BIN)/vulture
	@for package in protocol client server; do (cd packages/$$package && ../../$(BIN)/deptry src) || exit 1; done

fmt: $(STAMP) ## format and apply the safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(RIVALS_STAMP): requirements/rival-litellm.lock benchmarks/speed/portkey/package-lock.json | $(STAMP)
	@mkdir -p $(RIVALS_DIR)/portkey && cp benchmarks/speed/portkey/package.json benchmarks/speed/portkey/package-lock.json $(RIVALS_DIR)/portkey/
	@if command -v node >/dev/null && command -v npm >/dev/null; then cd $(RIVALS_DIR)/portkey && $(NPM); fi
	@test -x $(RIVALS_DIR)/litellm/bin/python || $(PYTHON) -m venv --without-pip $(RIVALS_DIR)/litellm
	@VIRTUAL_ENV=$(RIVALS_DIR)/litellm $(BIN)/uv pip install --quiet --require-hashes -r requirements/rival-litellm.lock
	@touch $@

rivals: $(RIVALS_STAMP) ## what the speed report compares us with (LiteLLM, Portkey), outside the repository (700 MB)

bench: $(RIVALS_STAMP) ## the benchmarks, each a table with ratios: the speed report beside nginx, LiteLLM and Portkey first; PARTS="speed journal" for some
	@RIVALS_DIR=$(RIVALS_DIR) $(BIN)/python -m benchmarks $(PARTS)

bench-page: $(RIVALS_STAMP) ## the speed report alone, written to docs/explanation
	@RIVALS_DIR=$(RIVALS_DIR) $(BIN)/python -m benchmarks.speed --write docs/explanation

bench-memory: $(STAMP) ## how the gateway's memory grows over REQUESTS=1000000
	@$(BIN)/python -m benchmarks.speed.slope $(or $(REQUESTS),1000000)

bench-routing: $(STAMP) ## the router on recorded outcomes in the folder ROUTING_DATA, beside its rivals; JSON=1 for one document
	@$(BIN)/python -m monkey_coder_server.evaluation.routing --items $(ROUTING_DATA)/items.jsonl.gz \
		--outcomes $(ROUTING_DATA)/outcomes.csv.gz --models $(ROUTING_DATA)/models.csv \
		$(if $(TRAIN),--train $(TRAIN)) $(if $(PLOTS),--plots $(PLOTS)) $(if $(JSON),--json)

mutants: $(STAMP) ## change the money rules one thing at a time; nine of ten in each module must be noticed by its tests
	@$(BIN)/python -m tools.mutants $(MODULES)

fuzz: $(STAMP) ## mutated traffic against every codec; SECONDS=600 by default, SEED=n ROUNDS=1 shows a finding again
	@$(BIN)/python -m tools.fuzz --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS))

kills: $(STAMP) ## kill a gateway under two hundred streams, ROUNDS=100 times, on both databases or on DATABASE=sqlite or postgresql alone; compare all books
	@$(BIN)/python -m tests.kills --rounds $(or $(ROUNDS),100) --seed $(or $(SEED),1) $(DATABASE:%=--database %)

exact: $(STAMP) ## limits are good for exactly what they can pay: 32 to 256 clients, 1 to 4 gateways, both databases
	@$(BIN)/python -m tests.exactness

exact-rates: $(STAMP) ## limits of requests, tokens and places on 4 processes: with Redis, without it, and while it dies (needs redis-server); OVER=limiters or http alone
	@$(BIN)/python -m tests.rates $(OVER:%=--over %)

outages: $(STAMP) ## stop, kill and pause the database for SECONDS=60 under load: requests within leases go on; compare all books
	@$(BIN)/python -m tests.outages --seconds $(or $(SECONDS),60)

rolling: $(STAMP) ## replace two workers under load, RESTARTS=3 times, each after a change of tables, and kill one, on both databases or on DATABASE alone
	@$(BIN)/python -m tests.rolling --restarts $(or $(RESTARTS),3) $(DATABASE:%=--database %)

hosts: $(STAMP) ## two hosts of two gateways on one PostgreSQL and one Redis through every fault, or FAULT='key revoked' alone; WORKERS=2: of one gateway of two workers; a table of outcomes
	@$(BIN)/python -m tests.hosts $(if $(FAULT),--fault "$(FAULT)") $(WORKERS:%=--workers %)

month: $(STAMP) ## a month of CUSTOMERS=100 and REQUESTS=100000, their payments and accidents, on DATABASE=sqlite or postgresql; compare all books
	@$(BIN)/python -m tests.month --customers $(or $(CUSTOMERS),100) --requests $(or $(REQUESTS),100000) --seed $(or $(SEED),1) $(DATABASE:%=--database %)

faults: $(STAMP) ## each provider down, slow, refusing, garbled and flapping for SECONDS=20 under load; compare all books
	@$(BIN)/python -m tests.faults --seconds $(or $(SECONDS),20)

slow-sockets: $(STAMP) ## good requests beside 1,000 slow sockets: their p99 may be at most 1.2 times as long
	@$(BIN)/python -m benchmarks.slow_sockets

lock: $(STAMP) ## compile requirements/*.lock again
	@requirements/compile.sh

clean: ## remove .venv and the caches
	@rm -rf $(VENV) $(SDK_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
