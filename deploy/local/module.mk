# The local installation: what is installed, started and stopped on one machine. Also used alone, before anything is configured.

supervisor_SRC := $(wildcard deploy/local/supervisor/*.c)
build/supervisor: $(supervisor_SRC) deploy/local/supervisor/supervisor.h
	@mkdir -p build
	@gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 $(supervisor_SRC) -o $@.$$PPID && mv $@.$$PPID $@

.PHONY: install up down status memory run demo
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

install:
	@deploy/local/install run
# what is installed decides how the rest is built, hence a make of its own after it
up: install
	@$(MAKE) --no-print-directory $(parallel) all
	@deploy/local/stack up
run: install
	@$(MAKE) --no-print-directory $(parallel) all
	@deploy/local/stack run
down status memory:
	@deploy/local/stack $@
demo: up
	@eval "$$(deploy/local/stack env)" && bin/journeyctl demo $(DATA)

.PHONY: install-test
install-test:
	@deploy/local/install test
