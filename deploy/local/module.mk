# The local installation: what is installed, started and stopped on one machine. Also used alone, before anything is configured.

build/supervisor: deploy/local/supervisor.c
	@mkdir -p build
	@gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 $< -o $@.$$PPID && mv $@.$$PPID $@
