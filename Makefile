# `make` lists the targets. Works with GNU make 3.81 (macOS) and newer, and with any POSIX sh.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

# Empty: the first of python3, python3.13, python3.12, python3.11 that is new enough.
PYTHON ?=
# Processor of the functions in AWS: arm64 or x86_64.
ARCHITECTURE ?= arm64
# Options of the local cloud (`.venv/bin/python -m infra.local --help`); empty takes its defaults.
HTTP_PORT ?=
AWS_PORT ?=
EXAMPLE_PORT ?=
WEBHOOK_PORT ?=
STATE ?=
RUN_FLAGS ?=
BENCH_FLAGS ?=

BIN := .venv/bin
UV := $(BIN)/uv
# Our tools first: sam looks for uv, npm for node.
TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0
# sam validates against a region, and there may be no AWS profile here.
SAM_REGION := AWS_DEFAULT_REGION="$${AWS_DEFAULT_REGION:-ap-northeast-2}"
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url
INSTALL := $(UV) pip install --quiet --python $(BIN)/python

# Files that say what is installed: newer than the lock files, so that a second `make run` starts at once and offline.
RUN_READY := .venv/.ready-to-run
TEST_READY := .venv/.ready-to-test
POSTGRES_LOOKED_FOR := .venv/.postgres-looked-for
CHROMIUM_LOOKED_FOR := .venv/.chromium-looked-for
# npm modules for authors' scripts, one file each; the local cloud and the script layer read them there.
SCRIPT_BUNDLES := infra/layers/script/bundles/modules.json
# The chat widgets that ours is measured beside: for `make bench` alone.
BENCH_PEERS_READY := bench/peers/web/node_modules/.installed
PEERS_READY := $(patsubst %/package-lock.json,%/node_modules/.installed,$(wildcard tests/peers/package-lock.json))

# The widget beside the function that serves it; and that it passed its tests, beside what was built.
WEB_READY := functions/web_page/files/.built
WEB_TESTED := web/dist/.tested
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

.PHONY: help run test check web bench build sam-local deploy fmt lock clean script-bundles environment static validate

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) $(SCRIPT_BUNDLES) $(WEB_READY) ## start the local cloud with the example bots (RUN_FLAGS, HTTP_PORT, AWS_PORT, EXAMPLE_PORT, WEBHOOK_PORT, STATE)
	@$(BIN)/python -m infra.local $(if $(HTTP_PORT),--http-port $(HTTP_PORT)) $(if $(AWS_PORT),--aws-port $(AWS_PORT)) \
	  $(if $(EXAMPLE_PORT),--example-port $(EXAMPLE_PORT)) \
	  $(foreach port,$(WEBHOOK_PORT),--webhook-port $(port)) $(if $(STATE),--state "$(STATE)") $(RUN_FLAGS)

test: static $(WEB_TESTED) $(PEERS_READY) $(SCRIPT_BUNDLES) $(POSTGRES_LOOKED_FOR) $(CHROMIUM_LOOKED_FOR) ## everything: the checks, all tests, validation and build
	$(BIN)/pytest
	@$(MAKE) --no-print-directory validate build

check: static $(WEB_TESTED) $(PEERS_READY) $(SCRIPT_BUNDLES) $(POSTGRES_LOOKED_FOR) $(CHROMIUM_LOOKED_FOR) ## format, lint, types, import rules, all tests but the end-to-end ones, validation
	$(BIN)/pytest tests/unit tests/golden tests/integration tests/contract
	@$(MAKE) --no-print-directory validate

web: $(WEB_TESTED) ## build the chat widget and the SDK, with their types, unit tests and sizes; again only after a change

bench: $(TEST_READY) $(PEERS_READY) $(BENCH_PEERS_READY) $(SCRIPT_BUNDLES) $(WEB_READY) ## measure the budgets (BENCH_FLAGS)
	$(TOOLS) $(BIN)/python -m bench $(BENCH_FLAGS)

build: $(TEST_READY) $(SCRIPT_BUNDLES) $(WEB_READY) ## build and check the artifacts for AWS (ARCHITECTURE)
	$(TOOLS) $(SAM_REGION) MALGIL_ARCHITECTURE=$(ARCHITECTURE) $(BIN)/sam build \
	  --parameter-overrides Architecture=$(ARCHITECTURE)
	$(BIN)/python infra/check_layer.py --architecture $(ARCHITECTURE) \
	  .aws-sam/build/DepsLayer .aws-sam/build/SharedLayer .aws-sam/build/ScriptLayer
	$(BIN)/python -m infra.compile_layers .aws-sam/build

sam-local: $(TEST_READY) $(SCRIPT_BUNDLES) $(WEB_READY) ## every function in a container, from built artifacts (Docker or podman)
	$(TOOLS) $(BIN)/python -m infra.sam_local

deploy: build ## build and deploy to AWS with the credentials of your profile
	$(TOOLS) $(BIN)/sam deploy --guided --parameter-overrides Architecture=$(ARCHITECTURE)

fmt: $(TEST_READY) ## format the Python code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: $(UV) ## lock the newest allowed versions of all packages
	$(COMPILE) --upgrade --universal --python-version 3.11 pyproject.toml --group dev -o requirements-dev.txt
	$(COMPILE) --upgrade --universal --python-version 3.11 -c requirements-dev.txt pyproject.toml --group local \
	  -o requirements.txt
	$(COMPILE) --upgrade --python-version 3.13 --python-platform aarch64-manylinux_2_28 -c requirements-dev.txt \
	  pyproject.toml -o infra/layers/deps/requirements.txt
	$(COMPILE) --upgrade --python-version 3.13 --python-platform aarch64-manylinux_2_28 -c requirements-dev.txt \
	  --group script -o infra/layers/script/requirements.txt

script-bundles: $(SCRIPT_BUNDLES) ## bundle the npm modules that authors' scripts may require

clean: ## remove everything that was built or installed; the local cloud's data stays
	rm -rf .venv .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf tests/peers/node_modules bench/peers/web/node_modules infra/scripting/node_modules infra/layers/script/bundles web/node_modules web/dist functions/web_page/files
	find functions infra shared tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

static: $(TEST_READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --python-version 3.11
	$(BIN)/mypy --python-version 3.13
	$(BIN)/lint-imports

validate: $(TEST_READY)
	$(TOOLS) $(SAM_REGION) $(BIN)/sam validate --lint

environment: $(TEST_READY)

$(UV):
	@echo "Creating the environment in .venv ... / 가상 환경을 만드는 중입니다 ..."
	@python="$$(PYTHON='$(PYTHON)' sh infra/check_machine.sh)" && "$$python" -m venv --clear .venv
	@sed -n '/^uv==/,/[^\]$$/p' requirements.txt > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt

$(RUN_READY): requirements.txt pyproject.toml | $(UV)
	@echo "Installing packages ... / 패키지를 설치하는 중입니다 ..."
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	@echo "Installing the tools for tests ... / 테스트 도구를 설치하는 중입니다 ..."
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

$(POSTGRES_LOOKED_FOR): infra/check_postgres.sh | $(TEST_READY)
	@sh infra/check_postgres.sh
	@touch $@

$(CHROMIUM_LOOKED_FOR): infra/check_chromium.sh | $(TEST_READY)
	@sh infra/check_chromium.sh
	@touch $@

$(SCRIPT_BUNDLES): infra/scripting/node_modules/.installed infra/scripting/build.mjs $(wildcard infra/scripting/entries/*.js)
	@echo "Bundling the modules of scripts ... / 스크립트 모듈을 묶는 중입니다 ..."
	@$(TOOLS) node infra/scripting/build.mjs $(@D)

$(WEB_READY): web/node_modules/.installed $(WEB_SOURCES) infra/compress_web.py
	@echo "Building the chat widget ... / 채팅 위젯을 만드는 중입니다 ..."
	@cd web && $(TOOLS) npm run --silent build
	@$(BIN)/python infra/compress_web.py web/dist
	@rm -rf $(@D) && cp -R web/dist $(@D)
	@touch $@

$(WEB_TESTED): $(WEB_READY)
	cd web && export $(TOOLS) && npm run --silent test && npm run --silent size
	@touch $@

%/node_modules/.installed: %/package-lock.json $(RUN_READY)
	cd $* && $(TOOLS) npm ci --no-audit --no-fund
	@touch $@
