# Every developer command. `make help` lists them; the work is done by the scripts in dev/.
#
# Variables, given on the command line or in the environment:
#   INPUT    the commands `make run` feeds to the example; `-` is standard input
#   DATA_DIR where the example keeps its SQLite file; .data by default. What is there already is continued
#   STORAGE  memory, sqlite, or the address of a PostgreSQL server: postgresql://user:password@host:port/database
#   FILTER   which tests `make test`, or which benchmarks `make bench`, should run
#   STRICT   1: warnings are errors, 0: they are not (see "Warnings" in CONTRIBUTING.md)
#   SCRATCH  where SwiftPM puts what it builds; .build by default

.DEFAULT_GOAL := help

INPUT ?= Examples/UserService/Input/commands.jsonl

export INPUT DATA_DIR STORAGE FILTER STRICT SCRATCH

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## Build the example service and run it [INPUT=file.jsonl or -] [DATA_DIR=dir] [STORAGE=postgresql://…]
	@bash dev/run

.PHONY: failover
failover: ## Kill one of three processes that share a database, and see the others take over
	@bash dev/failover

.PHONY: test
test: ## Build and run all tests [FILTER=regular expression]
	@bash dev/test

.PHONY: check
check: ## Format, file sizes, imports, warnings, documentation: everything that can be judged without running
	@bash dev/check

.PHONY: bench
bench: ## Build the benchmarks for release and run them [FILTER=name]
	@bash dev/bench

.PHONY: format
format: ## Rewrite the sources in the house format
	@bash dev/format

.PHONY: protos
protos: ## Write the Swift code for Protos/ anew; needs protoc (Debian: protobuf-compiler)
	@bash dev/generate-protos

.PHONY: docs
docs: ## Build the documentation of every library into .build/docs
	@bash dev/docs

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf "$${SCRATCH:-.build}" Benchmarks/.build
