# What one does here. Needs: python3 (3.11 or newer), cargo, node (20.19 or newer), make.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
# `sam validate` wants a region to look a template over; a deployment uses the one of your AWS profile.
VALIDATE := AWS_DEFAULT_REGION=us-east-1 sam validate --lint

.PHONY: run test test-unit test-integration test-e2e fuzz build deploy lint fmt validate browser

run: .venv/ready dashboard/node_modules/ready  ## everything on this machine; PUBLIC_PORT, EMULATOR_PORT, SIMULATOR_PORT, IDENTITY_PORT
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

test-e2e: .venv/ready dashboard/node_modules/ready browser  ## the deployed template, from the Connect button to the Task
	python -m pytest tests/e2e

fuzz:                           ## what reads text of others, under a fuzzer; FUZZ_SECONDS for each target (60)
	fuzz/run

build: .venv/ready              ## what is deployed to AWS, in .aws-sam/build
	sam build

deploy: build
	sam deploy --guided

lint: .venv/ready .venv/bin/cargo-machete dashboard/node_modules/ready
	cargo machete
	cargo fmt --all --check && cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	ruff format --check && ruff check && mypy
	npm --prefix dashboard run lint

fmt: .venv/ready dashboard/node_modules/ready
	cargo fmt --all && cargo fmt --manifest-path fuzz/Cargo.toml && ruff format && ruff check --fix
	npm --prefix dashboard run format

validate: .venv/ready
	$(VALIDATE)

# The tools. Set up again only when what is asked for has changed.
REQUIREMENTS := $(wildcard requirements*.txt)
CHECKSUM := $(shell cat $(REQUIREMENTS) | cksum | cut -d' ' -f1)

.venv/ready: .venv/ready-$(CHECKSUM)
.venv/ready-%:
	@echo "Setting up the tools in .venv (two minutes, once) …"
	python3 -m venv .venv && .venv/bin/pip install --disable-pip-version-check --progress-bar off -r requirements.txt
	python3 -m venv .venv/emulator && .venv/emulator/bin/pip install --disable-pip-version-check --progress-bar off -r requirements-emulator.txt
	rm -f .venv/ready-* && touch $@

dashboard/node_modules/ready: dashboard/package-lock.json
	npm --prefix dashboard ci --no-audit --no-fund && touch $@

# The pages are tried in a real Chromium: the one that is here, or Playwright's, or the system's package.
browser: .venv/ready
	python -m local.browser

.venv/bin/cargo-machete: | .venv/ready
	cargo install --locked --root .venv cargo-machete@0.9.2
