# One command each. `make help` lists them. Builds go to build/<preset>; cores and Node binaries are cached outside the tree
# (POSTMORTEM_CACHE, default ~/.cache/postmortem).

NODE ?= 22.23.3
CASE ?= oom-small

.DEFAULT_GOAL := release
.PHONY: release dev clang deps test test-all demo bench fuzz format clean help

release: deps ## build the program: build/release/postmortem
	@scripts/build release

dev: deps ## build with ASan + UBSan, warnings are errors: build/dev
	@scripts/build dev

clang: deps ## the same sources with clang 14, warnings are errors: build/clang
	@scripts/build clang

deps: ## install the Debian packages that are missing
	@scripts/install-deps

test: ## install, build with gcc (sanitizers) and clang, run the tests, and the fuzz targets for a moment
	@scripts/install-deps --browser
	@scripts/build dev
	@scripts/build clang
	@scripts/build fuzz
	@scripts/run-fuzz 2000
	@scripts/run-tests dev

test-all: test ## then every Node release, Debian's libnode and arm64 (an hour and 10 GB of cores when nothing is cached)
	@scripts/run-tests dev all

demo: release ## a real out-of-memory core, made on the spot with an official Node.js, and its diagnosis
	@scripts/demo $(CASE) $(NODE)

bench: release ## time and memory on live heaps of 0.3, 1 and 4 GB, beside cat, gdb and llnode
	@tests/bench/bench

fuzz: deps ## build the libFuzzer targets and run each for a short time
	@scripts/build fuzz
	@scripts/run-fuzz

format: ## clang-format all sources
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i

clean: ## remove the builds (not the cached cores)
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
