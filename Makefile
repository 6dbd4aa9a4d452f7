# typeone.metal: all set-up, the demonstration and the tests.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

BUILD := $(CURDIR)/build
# No environment's own Python libraries: the tests are to find what is installed here, and nothing else.
unexport PYTHONPATH
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
VENV ?= $(CURDIR)/.venv
BIN := $(VENV)/bin
SOURCES := $(wildcard $(shell git ls-files -co --exclude-standard 2>/dev/null))
# Source tree seen as a collection (unit tier), and the collection as installed from its artifact (all else).
DEV := $(BUILD)/dev
INSTALLED := $(BUILD)/collections
# Systems beside the machine's own, by their code names, on which molecule-suites runs the scenarios.
SUITES ?= trixie noble
PYTEST := $(BIN)/python -m pytest -p no:cacheprovider -ra
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_COLLECTIONS_PATH := $(INSTALLED)
export ANSIBLE_LOCALHOST_WARNING := False
export ANSIBLE_INVENTORY_UNPARSED_WARNING := False
export ANSIBLE_NOCOWS := 1
export PATH := $(BIN):$(PATH)

.PHONY: help setup packages lint unit unit-next contract check molecule molecule-suites roles lab-test lab-deploy lab-life lab-roles lab-network lab-sriov test bench demo clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.ready $(DEV)/ansible_collections/typeone/metal ## Make the virtual environment (done by the other targets)

$(VENV)/.ready: requirements.txt tests/requirements.txt
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tests/tools/packages test
	echo "== Making the virtual environment in $(VENV) with $(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -r tests/requirements.txt
	touch $@

$(DEV)/ansible_collections/typeone/metal:
	@mkdir -p $(dir $@)
	ln -sfn $(CURDIR) $@

packages: ## Install the Debian packages that are missing (as root, on Debian or Ubuntu)
	@tests/tools/packages test

$(INSTALLED)/.ready: $(SOURCES) $(VENV)/.ready
	@echo "== Building the collection and installing it into $(INSTALLED)"
	rm -rf $(INSTALLED) $(BUILD)/artifact
	mkdir -p $(BUILD)/artifact
	$(BIN)/ansible-galaxy collection build --force --output-path $(BUILD)/artifact . >/dev/null
	$(BIN)/ansible-galaxy collection install --offline -p $(INSTALLED) $(BUILD)/artifact/*.tar.gz >/dev/null
	touch $@

lint: setup packages ## ansible-test sanity, ansible-lint (production), yamllint, antsibull-docs
	@tests/tools/lint "$(BUILD)" "$(BIN)"

unit: setup packages ## Pure tests, without servers
	@echo "== unit: $$($(BIN)/python --version), $$($(BIN)/ansible --version | head -1)"
	PYTHONPATH=$(DEV) ANSIBLE_COLLECTIONS_PATH=$(DEV) $(PYTEST) -n 2 tests/unit

unit-next: setup ## The unit tier on ansible-core 2.21, where Python 3.12 or newer is installed
	@tests/tools/next "$(BUILD)" tests/unit

contract: setup packages $(INSTALLED)/.ready ## The modules against real servers and recorded BMCs, from the installed artifact
	@echo "== contract: the collection from $$(ls $(BUILD)/artifact)"
	PYTHONPATH=$(INSTALLED) $(PYTEST) -n 2 --dist worksteal tests/integration

check: unit contract lint ## The inner loop: lint, unit, contract

test: ## All tests
	@start=$$SECONDS
	$(MAKE) --no-print-directory unit
	$(MAKE) --no-print-directory contract
	$(MAKE) --no-print-directory unit-next
	# Neither keeps two processors busy.
	$(MAKE) --no-print-directory -j2 lint molecule
	$(MAKE) --no-print-directory lab-test
	echo "== all tiers passed in $$((SECONDS - start)) s"

molecule: setup packages $(INSTALLED)/.ready ## Molecule's scenarios of roles, in containers (SCENARIO=network: that one)
	@tests/tools/packages test lab
	tests/tools/molecule "$(BUILD)" "$(BIN)" $(SCENARIO)

molecule-suites: setup packages $(INSTALLED)/.ready ## The same on other systems (SUITES="trixie noble"; not part of test)
	@tests/tools/packages test lab
	for suite in $(SUITES); do TYPEONE_TEST_SUITE=$$suite tests/tools/molecule "$(BUILD)" "$(BIN)" $(SCENARIO); done

roles: setup packages $(INSTALLED)/.ready ## Roles on systems booted in containers
	@tests/tools/packages test lab
	PYTHONPATH=$(INSTALLED) $(PYTEST) -v -n 2 tests/roles

lab-test: setup $(INSTALLED)/.ready ## Both of these at once; what the second says comes at the end
	@tests/tools/packages test lab
	$(MAKE) --no-print-directory lab-life >$(BUILD)/lab-life.log 2>&1 & life=$$!
	status=0
	$(MAKE) --no-print-directory lab-deploy || status=$$?
	wait $$life || status=$$?
	cat $(BUILD)/lab-life.log
	exit $$status

lab-deploy: setup $(INSTALLED)/.ready ## Whole deploys on virtual bare metal
	@tests/tools/packages test lab
	PYTHONPATH=$(INSTALLED) $(PYTEST) -x -v tests/lab/test_deploy.py

lab-life: setup $(INSTALLED)/.ready ## Labs that come and go, also half-way, and what starts on a disk without a lab
	@tests/tools/packages test lab
	PYTHONPATH=$(INSTALLED) $(PYTEST) -v tests/lab/test_lab_lifecycle.py tests/lab/test_local_boot.py

lab-roles: setup $(INSTALLED)/.ready ## Whole deploys, with another tuning of a server afterwards (not part of test)
	@tests/tools/packages test lab
	TYPEONE_TEST_ROLES=1 PYTHONPATH=$(INSTALLED) $(PYTEST) -v tests/lab/test_deploy.py

lab-network: setup $(INSTALLED)/.ready ## Every way to break the network of a booted server of a lab (long under emulation; not part of test)
	@tests/tools/packages test lab
	PYTHONPATH=$(INSTALLED) $(PYTEST) -v tests/lab/network_matrix.py

lab-sriov: setup $(INSTALLED)/.ready ## Virtual functions of a network card on a booted server, by a newer emulator (not part of test)
	@tests/tools/packages test lab
	PYTHONPATH=$(INSTALLED) $(PYTEST) -v tests/lab/sriov_card.py

bench: setup $(INSTALLED)/.ready ## Compare with community.general and read whole fleets; results in build/bench (on a quiet machine)
	@venv=$(BUILD)/venv-bench
	[ -e $$venv/.ready ] || { echo "== Making the benchmarks' virtual environment"; $(PYTHON) -m venv $$venv
	  $$venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt -r tests/benchmarks/requirements.txt; touch $$venv/.ready; }
	for name in tasks fleet plot; do PYTHONPATH=tests/benchmarks $$venv/bin/python tests/benchmarks/$$name.py; done

demo: setup $(INSTALLED)/.ready ## Build the lab, deploy Xen on its server through its BMC alone (NODES=3 VCPUS=1: on three)
	@tests/tools/packages lab
	tests/tools/demo "$(BUILD)" "$(BIN)"

clean: ## Take the lab and Molecule's containers down; what was built and cached stays
	@if [ -x $(BIN)/ansible-playbook ] && [ -d $(INSTALLED)/ansible_collections ]; then
	  $(BIN)/ansible-playbook -i localhost, typeone.metal.lab_down -e lab_dir=$(BUILD)/lab -e lab_cache_dir=$(BUILD)/cache
	fi
	if compgen -G "$(BUILD)/ansible/tmp/molecule.*/[cl]*" >/dev/null; then $(BIN)/molecule destroy --all; fi

distclean: clean ## Delete everything that was made here
	rm -rf $(BUILD) $(VENV)
