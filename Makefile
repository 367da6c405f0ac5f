# Needs python3 (3.11 or newer), cargo, node (20.19 or newer) and make.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
CARGO_DENY := .venv/cargo-deny@0.20.2
CARGO_MACHETE := .venv/cargo-machete@0.9.2

.PHONY: run test test-unit test-integration test-e2e openapi screenshots fuzz release bench load build deploy lint fmt validate audit rotate-keys browser

run: .venv/ready dashboard/node_modules/ready  ## everything on this machine; PUBLIC_PORT, EMULATOR_PORT, SIMULATOR_PORT, IDENTITY_PORT, EMULATOR_HOST
	python -m local.stack

test: .venv/ready               ## all tests, and a summary
	tests/run

test-unit: .venv/ready dashboard/node_modules/ready  ## rules, handlers, sample events, doc examples, the card, the template against its contract
	cargo test --workspace --lib --bins
	cargo test --workspace --doc
	python -m pytest tests/contract
	npm --prefix dashboard test

test-integration: .venv/ready   ## the Salesforce client against the simulator, the stores against the emulator
	cargo test --workspace --test '*' --no-fail-fast

test-e2e: .venv/ready dashboard/node_modules/ready tests/e2e/react-18/node_modules/ready browser release  ## the deployed template, from the Connect button to the Task
	RELEASE=1 python -m pytest tests/e2e

openapi:                        ## the API's description, docs/openapi.yaml, from the code
	UPDATE=1 cargo test --quiet -p api --lib description

screenshots: .venv/ready dashboard/node_modules/ready browser  ## the pictures for README and docs, in docs/pictures
	python -m pytest tests/e2e/take_screenshots.py

fuzz:                           ## the parsers of external input; FUZZ_SECONDS per target (60)
	fuzz/run

release: .venv/ready            ## the functions as `sam build` compiles them, in target/lambda
	cargo lambda build --release --workspace --exclude salesforce-sim --exclude bench

bench: release                  ## what each function costs compared with a hello world; BENCH=--gate checks the budget
	cargo run --quiet --profile local -p bench -- $(BENCH)

load: .venv/ready dashboard/node_modules/ready release  ## a noisy workspace next to twenty quiet ones; LOAD=--quick checks the limits
	RELEASE=1 python -m tests.load $(LOAD)

build: .venv/ready              ## the deployment package for AWS, in .aws-sam/build
	sam build

deploy: build
	sam deploy --guided

lint: .venv/ready $(CARGO_MACHETE) dashboard/node_modules/ready
	cargo machete
	cargo fmt --all --check && cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	ruff format --check && ruff check && mypy
	npm --prefix dashboard run lint

fmt: .venv/ready dashboard/node_modules/ready
	cargo fmt --all && cargo fmt --manifest-path fuzz/Cargo.toml && ruff format && ruff check --fix
	npm --prefix dashboard run format

# `sam validate` needs a region. A deployment uses the one in your AWS profile.
validate: .venv/ready .venv/scanners/ready  ## the template: valid, linted, secure; `test-unit` compares it with its contract
	AWS_DEFAULT_REGION=us-east-1 sam validate
	cfn-lint
	.venv/scanners/bin/checkov

audit: .venv/ready .venv/scanners/ready $(CARGO_DENY)  ## dependencies: licences, duplicates, sources, known vulnerabilities
	cargo deny --locked check -D unmatched-skip -D unnecessary-skip bans licenses sources
	cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check sources
	.ci/audit

rotate-keys: .venv/ready         ## new generated keys for a stack, without downtime; RINGS="sealing webhook" STACK=ringlog
	python -m ops.rotate_keys $(RINGS) --stack $(STACK)
RINGS ?= sealing webhook
STACK ?= ringlog

# The tools, which are set up again only when the requirements change.
REQUIREMENTS := requirements-emulator.txt requirements.txt
CHECKSUM := $(shell cat $(REQUIREMENTS) | cksum | cut -d' ' -f1)

UV := .venv/bin/uv
INSTALL := $(UV) pip install --quiet --python

.venv/ready: .venv/ready-$(CHECKSUM)
.venv/ready-%:
	@echo "Setting up the tools in .venv (once) …"
	python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check $$(grep '^uv==' requirements.txt)
	$(INSTALL) .venv -r requirements.txt
	$(UV) venv --quiet --clear --python python3 .venv/emulator && $(INSTALL) .venv/emulator -r requirements-emulator.txt
	rm -f .venv/ready-* && touch $@

.venv/scanners/ready: requirements-scanners.txt | .venv/ready
	$(UV) venv --quiet --clear --python python3 .venv/scanners && $(INSTALL) .venv/scanners -r requirements-scanners.txt && touch $@

%/node_modules/ready: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund && touch $@

# Browser tests use a real Chromium: the installed one, or else Playwright's or the system's package.
browser: .venv/ready
	python -m local.browser

# Cargo's tools, compiled once per version. They run for seconds; an optimised build would take minutes.
.venv/cargo-%: | .venv/ready
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug --root .venv cargo-$* && touch $@
