# `make` without a target lists what there is.

.PHONY: help demo build test nightly check docs book release bench ecosystem fuzz boot life kills plans failures clean

FUZZ_SECONDS = 60

# What `make nightly` sets for each long loop: every moment of a kill, and these numbers of vectors, trees, pairs and cases.
# You can also set one of them alone: S6GEN_KILLS=all cargo test --test suite -- switch
WHOLE = S6GEN_KILLS=all S6GEN_VECTORS=100000 S6GEN_STORE_VECTORS=1000 S6GEN_ADDS=25 S6GEN_ORACLE_TREES=20000 \
	S6GEN_SNAPSHOTS=2000 S6GEN_UPDATES=1000 S6GEN_ORDERS_TREES=1000 S6GEN_SUPERVISORD=100000 PROPTEST_CASES=5000

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: ## compile the shipped services.toml into ./target/demo and print its start order
	mkdir -p target
	cargo run --quiet --locked -- build --root target/demo
	cargo run --quiet --locked -- graph

build: ## build the program
	cargo build --locked

test: ## run every test, with a sample of the long loops; installs missing Debian packages if it is allowed to
	.ci/packages
	.ci/test

nightly: ## run every test and all of the long loops, which takes hours
	.ci/packages
	$(WHOLE) .ci/test

check: ## formatting and clippy
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

docs: ## write docs/manifest.md, docs/codes.md and the pictures of the shipped services.toml
	cargo run --quiet --locked -- explain manifest > target/manifest.md && mv target/manifest.md docs/manifest.md
	cargo run --quiet --locked -- explain all-codes > target/codes.md && mv target/codes.md docs/codes.md
	cargo run --quiet --locked -- graph --format svg > target/gateway.svg && mv target/gateway.svg docs/pictures/gateway.svg
	cargo run --quiet --locked -- plan --format svg > target/plan.svg && mv target/plan.svg docs/pictures/plan.svg

book: ## build the pages of docs as a book in target/book, with mdBook
	@command -v mdbook >/dev/null || { echo "install mdBook: cargo install mdbook" >&2; exit 1; }
	mdbook build docs

release: ## build the static release binary, target/x86_64-unknown-linux-gnu/release/s6gen on x86-64
	.ci/release

bench: ## compare the speed of the release binary with that of s6-rc-compile, if that is on PATH
	S6GEN_RELEASE=$$(.ci/release) cargo bench --locked --bench bench

ecosystem: ## check trees of public images, and compare with tests/ecosystem/findings.tsv: make ecosystem TREES=DIR [RECORD=--record]
	@cargo run --quiet --locked --release --example ecosystem -- "$(TREES)" $(RECORD)

boot: build ## boot the shipped manifest in a copy of ROOTFS, a Debian root with s6-overlay: make boot ROOTFS=DIR
	tests/boot/boot "$(ROOTFS)"

life: build ## let the gateway's watcher add, change and remove services of a running container: make life ROOTFS=DIR
	tests/boot/life "$(ROOTFS)"

kills: build ## kill a container during apply, boot it and apply again, 20 times, or 200 with S6GEN_KILLS=all: make kills ROOTFS=DIR
	tests/boot/kills "$(ROOTFS)"

plans: build ## boot generated systems of stubborn services, and compare with `s6gen plan`, 8 of them, or 50 with S6GEN_PLANS=all: make plans ROOTFS=DIR
	tests/boot/plans "$(ROOTFS)"

failures: build ## boot containers in which services fail in every way, and compare with docs/failures.md: make failures ROOTFS=DIR
	tests/boot/failures "$(ROOTFS)"

fuzz: ## fuzz each target for a minute, or for another time: make fuzz FUZZ_SECONDS=600
	tests/fuzz/run $(FUZZ_SECONDS)

clean: ## remove all build results
	cargo clean
