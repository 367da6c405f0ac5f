# What one does here. Needs: python3 (3.11 or newer), cargo, node (20.19 or newer), make.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
CARGO_DENY := .venv/cargo-deny@0.20.2
CARGO_MACHETE := .venv/cargo-machete@0.9.2

.PHONY: run test test-unit test-integration test-e2e openapi screenshots fuzz release bench load build deploy lint fmt validate audit rotate-keys browser

run: .venv/ready dashboard/node_modules/ready  ## everything on this machine; PUBLIC_PORT, EMULATOR_PORT, SIMULATOR_PORT, IDENTITY_PORT, EMULATOR_HOST
	python -m local.stack

test: .venv/ready               ## all tests, and a summary
	tests/run

test-unit: .venv/ready dashboard/node_modules/ready  ## rules, handlers, sample events, doc examples, the template against its contract
	cargo test --workspace --lib --bins
	cargo test --workspace --doc
	python -m pytest tests/contract
	npm --prefix dashboard test

test-integration: .venv/ready   ## clients against the simulator, stores against the emulator
	cargo test --workspace --test '*' --no-fail-fast

test-e2e: .venv/ready dashboard/node_modules/ready browser release  ## the deployed template, from the Connect button to the Task
	RELEASE=1 python -m pytest tests/e2e

openapi:                        ## the API's description, docs/openapi.yaml, from the code
	UPDATE=1 cargo test --quiet -p api --lib description

screenshots: .venv/ready dashboard/node_modules/ready browser  ## the pictures of README and pages, in docs/pictures
	python -m pytest tests/e2e/take_screenshots.py

fuzz:                           ## what reads text of others, under a fuzzer; FUZZ_SECONDS for each target (60)
	fuzz/run

release: .venv/ready            ## the functions as `sam build` compiles them, in target/lambda
	cargo lambda build --release --workspace --exclude salesforce-sim --exclude bench

bench: release                  ## what each function costs next to a hello world; BENCH=--gate holds it to its budget
	cargo run --quiet --profile local -p bench -- $(BENCH)

load: .venv/ready dashboard/node_modules/ready release  ## a noisy workspace beside twenty quiet ones; LOAD=--quick holds it to a limit
	RELEASE=1 python -m tests.load $(LOAD)

build: .venv/ready              ## what is deployed to AWS, in .aws-sam/build
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

# `sam validate` wants a region to look a template over; a deployment uses the one of your AWS profile.
validate: .venv/ready .venv/scanners/ready  ## the template: valid, linted, secure; `test-unit` compares it with its contract
	AWS_DEFAULT_REGION=us-east-1 sam validate
	cfn-lint
	.venv/scanners/bin/checkov

audit: .venv/ready .venv/scanners/ready $(CARGO_DENY)  ## licences, duplicates, sources and known vulnerabilities of dependencies
	cargo deny --locked check -D unmatched-skip -D unnecessary-skip bans licenses sources
	cargo deny --manifest-path fuzz/Cargo.toml --config deny.toml check sources
	.ci/audit

rotate-keys: .venv/ready         ## new generated keys for a stack, without downtime: RINGS="sealing webhook" STACK=ringlog
	python -m ops.rotate_keys $(RINGS) --stack $(STACK)
RINGS ?= sealing webhook
STACK ?= ringlog

# The tools. Set up again only when what is asked for has changed.
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

dashboard/node_modules/ready: dashboard/package-lock.json
	npm --prefix dashboard ci --no-audit --no-fund && touch $@

# The pages are tried in a real Chromium: the one that is here, or Playwright's, or the system's package.
browser: .venv/ready
	python -m local.browser

# Cargo's own tools, compiled once a version. They run for seconds; optimised, they take minutes to compile.
.venv/cargo-%: | .venv/ready
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug --root .venv cargo-$* && touch $@
