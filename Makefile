# The commands of this project; `make help` lists them. A bare machine needs Python 3.11, make and git, the rest is installed.
# Everything that is made lies in .venv/ and .local/.
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON := .venv/bin/python
UV := .local/tools/bin/uv
export UV_PYTHON_DOWNLOADS := never
LOCAL := $(PYTHON) -W error -m localstack
SERVICES := $(patsubst services/%/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
CODE := libs/*/src services/*/src deploy/*/src tools

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

.PHONY: install
install: ## install what is missing, as locked
	@deploy/local/bootstrap
	@$(UV) sync --quiet --frozen --all-packages
	@$(LOCAL) fetch

.PHONY: up
up: install ## start the whole stack and wait until it is ready
	@$(LOCAL) up

.PHONY: demo
demo: up ## play the story of a profile's year through the gateway; the stack goes on running
	@$(PYTHON) -m testkit.demo

.PHONY: scan
scan: ## after the demo, search the disks of Kafka and MongoDB for its two candidates
	@$(PYTHON) -m testkit.disks

.PHONY: restart
restart: ## start our own processes again where their code has changed
	@$(LOCAL) restart

.PHONY: stop
stop: ## end everything that runs, the parts for tests included
	@test ! -x $(PYTHON) || $(LOCAL) stop

.PHONY: status
status: ## show every process, and of each service outbox, lag, dead letters, mails and jobs
	@$(LOCAL) status

.PHONY: logs
logs: ## follow the logs; PART=profiles-worker follows one
	@$(LOCAL) logs $(PART)

.PHONY: turn
turn: ## turn the clock forward: make turn DAYS=365
	@$(LOCAL) turn --days $(DAYS)

.PHONY: clean
clean: ## end everything and delete its data; downloads stay
	@test ! -x $(PYTHON) || $(LOCAL) clean

.PHONY: test
test: install ## run all tests on the real parts; ARGS='tests/chassis -k outbox' runs some
	@.venv/bin/pytest $(ARGS)

.PHONY: bench
bench: install ## measure what the mechanisms cost, each beside a baseline; ONLY=write,relay measures some
	@$(PYTHON) -m testkit.bench --only "$(ONLY)"

.PHONY: faults
faults: install ## play rounds of faults on the real parts: make faults ROUNDS=200 SEED=spring
	@$(PYTHON) -m testkit.faults --rounds $(or $(ROUNDS),10) $(if $(SEED),--seed $(SEED))

.PHONY: lint
lint: install ## check style, types, import rules and generated documents; changes nothing
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy $(CODE)
	.venv/bin/lint-imports
	$(PYTHON) tools/checks.py
	$(PYTHON) -m contracts check
	@for service in $(SERVICES); do $(PYTHON) -m $$service settings | diff -u deploy/settings/$$service.env - || exit 1; done

.PHONY: format
format: install ## mend what can be mended, and write the lists of settings anew
	.venv/bin/ruff check --fix
	.venv/bin/ruff format
	@for service in $(SERVICES); do $(PYTHON) -m $$service settings > deploy/settings/$$service.env || exit 1; done
