# make setup, make run: the two commands a newcomer needs. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build run test check corpus bench bench-live live-packages captures screenshots icons package deb

SAMPLE := assets/sample/icloud-2011-reconstruction.pcapng
FILE ?= $(SAMPLE)

# Debian 12 names. Build: a C compiler for crates with C parts, libpcap. Run: what winit and glutin open at run time, and
# a software OpenGL for machines without a driver. Test: Python, for the corpus and capture scripts.
PACKAGES := build-essential pkg-config libpcap-dev \
	libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0 \
	libwayland-client0 libwayland-cursor0 libwayland-egl1 libgl1 libegl1 libgl1-mesa-dri \
	python3
# What tests/live.rs makes its wire with (it says what it leaves out where they are missing), and what bench-live compares with.
LIVE_PACKAGES := iproute2 util-linux openssl tcpreplay tshark
BENCH_LIVE_PACKAGES := iproute2 procps tcpreplay tcpdump wireshark-common
DEB_PACKAGES := dpkg-dev xz-utils
SCREENSHOT_PACKAGES := xvfb xauth imagemagick x11-utils xdotool

help:
	@echo "make setup              install what is missing (Debian packages, crates)"
	@echo "make build              build target/release/nephoscope"
	@echo "make run [FILE=PATH]    open FILE, or the sample capture, in the window"
	@echo "make test               format, lints, tests, docs, and the corpus where it is present"
	@echo "make bench              compare speed with the floor and with other programs"
	@echo "make bench-live         loss of a live capture at rising rates, beside dumpcap and tcpdump (as root)"
	@echo "make deb                a Debian package in target/debian"
	@echo "make captures           write the captures of tests/captures again"
	@echo "make screenshots        pictures of every view into target/screenshots (VIEWS='panes dialogs' for some)"

# Installs only what is missing, so that it can be run again at no cost.
define install_missing
missing=(); \
if command -v dpkg-query >/dev/null; then \
	for name in $(1); do \
		dpkg-query -W -f='$${Status}' "$$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$$name"); \
	done; \
else \
	echo "This is no Debian system: install what stands for these packages here, then go on with make run:"; \
	echo "  $(1)"; \
fi; \
if [ $${#missing[@]} -gt 0 ]; then \
	echo "Missing packages: $${missing[*]}"; \
	as_root=(); \
	if [ "$$(id -u)" != 0 ]; then \
		command -v sudo >/dev/null || { echo "Not root, and no sudo here. As root, run: apt-get install $${missing[*]}"; exit 1; }; \
		as_root=(sudo); \
	fi; \
	"$${as_root[@]}" apt-get update -q; \
	"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$${missing[@]}"; \
fi
endef

setup:
	@$(call install_missing,$(PACKAGES))
	@command -v cargo >/dev/null || { echo "No cargo here. Install Rust 1.95 or newer with rustup, then run make setup again."; exit 1; }
	@have="$$(rustc --version | cut -d' ' -f2)"; want=1.95.0; \
	[ "$$(printf '%s\n%s\n' "$$want" "$$have" | sort -V | head -n 1)" = "$$want" ] \
		|| { echo "Rust $$have is here, $$want or newer is needed: rustup update stable"; exit 1; }
	@cargo fetch --locked --quiet
	@echo "Ready: make run"

build: setup
	cargo build --release --locked

run: build
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
		exec target/release/nephoscope "$(FILE)"; \
	else \
		echo "No display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window: listing the capture instead." >&2; \
		exec target/release/nephoscope list "$(FILE)"; \
	fi

# The live tests need root: only then what they need is installed.
live-packages:
	@if [ "$$(id -u)" = 0 ]; then $(call install_missing,$(LIVE_PACKAGES)); \
	else echo "Not root: the tests of live capture will say that they are skipped (tests/live.rs)."; fi

# Cheap first. Two builds of the dependencies in all: checked for clippy and docs, compiled for the tests, which also make
# the program that the corpus is read with (so `--tests` below: without it cargo compiles some dependencies once more).
test: setup live-packages check corpus

check:
	cargo fmt --check
	python3 tests/captures/make.py --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked
	RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps

corpus:
	cargo build --locked --bins --tests
	python3 tests/corpus.py target/debug/nephoscope

bench: build
	python3 tests/bench.py target/release/nephoscope

bench-live: build
	@$(call install_missing,$(BENCH_LIVE_PACKAGES))
	python3 tests/bench_live.py target/release/nephoscope

captures:
	python3 tests/captures/make.py

screenshots: build
	@$(call install_missing,$(SCREENSHOT_PACKAGES))
	CAPTURE="$(FILE)" tests/screenshots.sh target/release/nephoscope target/screenshots $(VIEWS)

icons:
	@$(call install_missing,librsvg2-bin)
	assets/desktop/icons.sh

# What is made for a package: manual pages and completions from the command line, notices from the lock file.
package: build
	rm -rf target/package
	target/release/nephoscope write-manual target/package
	python3 assets/desktop/notices.py target/package

deb: package
	@$(call install_missing,$(DEB_PACKAGES))
	@command -v cargo-deb >/dev/null || cargo install --locked --no-default-features cargo-deb
	cargo deb --locked --no-build --output target/debian/
