# The commands of the project. Each installs what it needs; only Rust, Node and Python must be there.
LISTEN ?= 127.0.0.1:8200
ASKDOCS ?= 127.0.0.1:8300
DATA ?= $(CURDIR)/data

.PHONY: help demo demo-elastic askdocs test check api ui build bench bench-agent browser clean

help: ## Show the commands.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build askdocs ## Build, start Tokenfall and a question-answering application, ask it a dozen questions, print both addresses.
	python3 demo/run.py --listen $(LISTEN) --askdocs $(ASKDOCS) --data $(DATA)

demo-elastic: build ## The traffic of a Python program with Elastic's agent instead, against a made-up model.
	python3 demo/elastic_agent.py --listen $(LISTEN) --data $(DATA)

askdocs: ## Build the question-answering application, with the engine for local models that can be compiled here.
	python3 apps/askdocs/build.py

build: ui ## Build the release binary, web UI included.
	cargo build --release --locked --bin tokenfall

ui: ui/dist/index.html ## Build the web UI.

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund

ui/dist/index.html: ui/node_modules/.package-lock.json $(shell find ui/src ui/index.html ui/vite.config.ts -type f 2>/dev/null)
	cd ui && npm run build

browser: ## Install Chromium for the browser tests, if it is not there.
	scripts/install-browser.sh

test: browser ## Run every test: Rust, UI, browser, crash, real clients.
	python3 scripts/test.py

check: ## Formatting, lints and project rules, without tests.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo run --quiet --locked -p xtask -- tidy

api: ## Write the OpenAPI document and the UI's types after a change of the API.
	cargo run --quiet --locked --bin tokenfall -- openapi > target/openapi.json
	mv target/openapi.json ui/openapi.json
	cd ui && npm run api

bench: build ## Measure ingest and queries.
	cargo run --release --locked -p tokenfall-benches -- all --events 1000000

bench-agent: build ## Measure what the agent costs, beside OpenTelemetry and Elastic's Python agent.
	cargo build --release --locked -p tokenfall-agent-benches --features comparison
	target/release/tokenfall-agent-benches time
	target/release/tokenfall-agent-allocations
	python3 benches/agent/token_loop.py
	target/release/tokenfall-agent-benches load
	target/release/tokenfall-agent-benches instructions

clean: ## Remove what was built (not the data).
	rm -rf target ui/dist ui/node_modules demo/.venv
