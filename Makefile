# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front for Meson: the names people type. See HACKING.md.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
# A fifth faster than without. What the tests run is built apart, by tools/check.
OPTIMIZED = -Doptimization=3 -Db_lto=true

.PHONY: all setup demo check bench prefix install uninstall clean \
    install-fail2ban-names uninstall-fail2ban-names
# Only the programs: tests are built by those who run them.
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet bandog bandogd

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix=$(PREFIX) $(OPTIMIZED) >$(BUILD).setup.log 2>&1 || \
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

bench:
	@BUILD=$(BUILD) tools/setup build bench
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) tests/bench/run

# A PREFIX that is given now counts, whatever the build was set up with.
prefix: $(BUILD)/build.ninja
ifneq ($(origin PREFIX),file)
	@grep -qxF "share='$(PREFIX)/share/bandog'" $(BUILD)/etc/places || \
	    { meson configure $(BUILD) -Dprefix='$(PREFIX)' && \
	    ninja -C $(BUILD) build.ninja; } >/dev/null 2>&1
endif

install: prefix all
	@DESTDIR='$(DESTDIR)' meson install -C $(BUILD) --no-rebuild --quiet
	@DESTDIR='$(DESTDIR)' tools/post-install $(BUILD)

# fail2ban-client, fail2ban-regex and fail2ban-server as links to bandog. A distribution's
# own are left alone, or with FORCE=1 put aside until they are uninstalled.
install-fail2ban-names: prefix
	@DESTDIR='$(DESTDIR)' tools/fail2ban-names $(BUILD) $(if $(FORCE),--force)

uninstall-fail2ban-names:
	@DESTDIR='$(DESTDIR)' tools/fail2ban-names $(BUILD) --remove

# Changed configuration and the state stay.
uninstall:
	@DESTDIR='$(DESTDIR)' tools/post-install $(BUILD) --remove

clean:
	@rm -rf $(BUILD) build-*
