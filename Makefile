# SPDX-License-Identifier: BSD-3-Clause
#
# A thin front over Meson and Ninja. Every target first installs what it needs and the machine lacks (tools/scripts/packages.txt).

PYTHON := /usr/bin/python3
.DEFAULT_GOAL := build
.PHONY: build demo test fuzz bench lint format clean

packages-%:
	@tools/scripts/install-packages.sh $*

# One recipe for all: configure once, then let Ninja decide. `product` is everything but the tests.
define compile
	@test -f build/build.ninja || meson setup build
	@ninja -C build $(1)
endef

build: packages-build           ## build everything into build/
	$(call compile)

demo: packages-demo             ## boot the firewall, swap its program under traffic, report
	$(call compile,product)
	@$(PYTHON) tools/demo/demo.py $(DEMO_FLAGS)

test: packages-test             ## all tests; the last line counts them
	@$(PYTHON) tools/scripts/test.py $(TEST_FLAGS)

fuzz: packages-fuzz             ## run the fuzzers: 10 minutes each, or FUZZ_SECONDS; ten million eBPF programs, or FUZZ_PROGRAMS
	@$(PYTHON) tools/scripts/fuzz.py --seconds $(or $(FUZZ_SECONDS),600) --programs $(or $(FUZZ_PROGRAMS),10000000)

bench: packages-bench           ## measure against a plain C loop
	$(call compile)
	@$(PYTHON) bench/run.py $(BENCH_FLAGS)

lint: packages-lint             ## clang-format and clang-tidy
	$(call compile)
	@$(PYTHON) tools/scripts/lint.py

format: packages-format         ## reformat the C sources in place
	@$(PYTHON) tools/scripts/lint.py fix

clean:                          ## remove all that was built
	rm -rf build build-sanitize
