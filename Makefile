# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front for Meson: the names people type. See HACKING.md.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all setup demo check bench install uninstall clean
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix=$(PREFIX) >$(BUILD).setup.log 2>&1 || \
	    { cat $(BUILD).setup.log; rm -f $(BUILD).setup.log; exit 1; }
	@rm -f $(BUILD).setup.log

setup:
	@tools/setup

demo:
	@tools/setup build demo
	@$(MAKE) --no-print-directory all
	@tools/demo

check:
	@tools/setup build check
	@tools/check

bench: all
	@tests/bench/run

install: all
	@DESTDIR='$(DESTDIR)' meson install -C $(BUILD) --quiet
	@DESTDIR='$(DESTDIR)' tools/post-install

uninstall:
	@ninja -C $(BUILD) uninstall

clean:
	@rm -rf $(BUILD) build-*
