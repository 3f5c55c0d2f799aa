# `make` without a target lists what there is.

.PHONY: help demo build test nightly check docs release bench fuzz boot life kills clean

FUZZ_SECONDS = 60

# How much of each long loop `make nightly` tries: every moment of a kill, and so many vectors, trees, pairs and cases.
# Each of them can be set by itself: S6GEN_KILLS=all cargo test --test suite -- switch
WHOLE = S6GEN_KILLS=all S6GEN_VECTORS=100000 S6GEN_STORE_VECTORS=1000 S6GEN_ADDS=25 S6GEN_ORACLE_TREES=20000 \
	S6GEN_SNAPSHOTS=2000 S6GEN_UPDATES=1000 S6GEN_ORDERS_TREES=1000 PROPTEST_CASES=5000

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: ## compile the shipped services.toml into ./target/demo and print its start order
	mkdir -p target
	cargo run --quiet --locked -- build --root target/demo
	cargo run --quiet --locked -- graph

build: ## build the program
	cargo build --locked

test: ## run every test, of the long loops a sample; installs the Debian packages that are missing when it may
	.ci/packages
	.ci/test

nightly: ## run every test with the long loops whole, which takes hours
	.ci/packages
	$(WHOLE) .ci/test

check: ## formatting and clippy
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

docs: ## write docs/manifest.md and docs/codes.md anew from the comments and pages of the code
	cargo run --quiet --locked -- explain manifest > target/manifest.md && mv target/manifest.md docs/manifest.md
	cargo run --quiet --locked -- explain all-codes > target/codes.md && mv target/codes.md docs/codes.md

release: ## build the static release binary, target/x86_64-unknown-linux-gnu/release/s6gen on x86-64
	.ci/release

bench: ## measure the release binary beside s6-rc-compile, where that is on PATH
	S6GEN_RELEASE=$$(.ci/release) cargo bench --locked --bench bench

boot: build ## boot the shipped manifest in a copy of ROOTFS, a Debian root with s6-overlay: make boot ROOTFS=DIR
	tests/boot/boot "$(ROOTFS)"

life: build ## let the gateway's watcher add, change and remove services of a container that runs: make life ROOTFS=DIR
	tests/boot/life "$(ROOTFS)"

kills: build ## kill a container in the midst of apply, boot it and apply again, 20 times, or 200 with S6GEN_KILLS=all: make kills ROOTFS=DIR
	tests/boot/kills "$(ROOTFS)"

fuzz: ## fuzz each target for a minute, or as long as you say: make fuzz FUZZ_SECONDS=600
	tests/fuzz/run $(FUZZ_SECONDS)

clean: ## remove what was built
	cargo clean
