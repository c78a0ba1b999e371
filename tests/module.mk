# Tests: how they are found, built and run.
#
#   make test                 installs what is missing, builds all, runs everything; last line "N passed, N failed"
#   make unit                 unit tests and corpus replays, under BUILD=asan unless another BUILD is given
#   make integration          against real servers (tests/run says which), BUILD=debug
#   make e2e                  the executables tests/e2e/test_*
#   make tsan                 unit tests of the libraries with threads, BUILD=tsan
#   make unit OWNERS="bus"    only these owners' tests
#   make fuzz, make lint      see fuzz.mk and lint.mk
#   make clients              others' SDKs as npm has them, in node and in a browser, against an engine: tests/clients/run
#   make sim                  the services in simulation, see sim/sim.mk
#
# tests/unit/<owner>/test_*.c and tests/integration/<owner>/test_*.c are a program each; the other .c files of the folder
# are linked to all of its programs, and those of the unit folder to the integration tests as well: so an operation struct's
# conformance suite is written once. A program may include every public header and its owner's own ones, and is linked with
# what its owner uses plus <owner>_TEST_USES; a service's with its domain archive and its sources other than main.c. Whoever
# uses the library stream is also linked with tests/rig: a service on the twins of Kafka and Postgres.

OWNERS ?= $(LIBS) $(SERVICES)
unit_BUILD := $(if $(filter command environment%,$(origin BUILD)),$(BUILD),asan)
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

test_uses = $(sort $(call uses,$(filter $(1),$(LIBS)) $(if $(filter $(1),$(SERVICES)),$($(1)_USES)) $($(1)_TEST_USES)))
test_sources = $(wildcard tests/$(1)/$(2)/test_*.c)
test_helpers = $(filter-out tests/unit/$(2)/test_%,$(wildcard tests/unit/$(2)/*.c)) \
    $(if $(filter integration,$(1)),$(filter-out tests/integration/$(2)/test_%,$(wildcard tests/integration/$(2)/*.c)))
test_archives = $(if $(filter $(1),$(SERVICES)),$(B)/lib$(1)-parts.a $(if $($(1)_DOMAIN),$(B)/lib$(1)-domain.a)) $(if $(filter stream,$(call test_uses,$(1))),$(B)/librig.a) $(call archives,$(call test_uses,$(1)))
test_pkgs = $(call pkgs,$(call test_uses,$(1)) $(1)) $(2)
test_includes = -Itests $(foreach d,$(wildcard libs/$(1)/src services/$(1) tests/unit/$(1)),-I$(d)) $(call includes,$(LIBS) proto)
test_link = $(CC) $(LDFLAGS) $(1) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group
# 1: unit or integration, 2: build; the programs of the chosen owners
test_programs = $(foreach o,$(filter $(OWNERS),$(LIBS) $(SERVICES)),$(patsubst %.c,$(O)/$(2)/%,$(call test_sources,$(1),$(o))))

define test_parts # 1: service
$(B)/lib$(1)-parts.a: $(patsubst %.c,$(B)/services/$(1)/%.o,$(filter-out main.c,$($(1)_SRC)))
	@rm -f $$@; ar rcs $$@ $$^
endef
$(foreach s,$(SERVICES),$(eval $(call test_parts,$(s))))

RIG_C := $(wildcard tests/rig/*.c)
$(B)/tests/rig/%.o: tests/rig/%.c $(PROTO_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(call test_includes) $(call pkgcflags,$(call pkgs,$(LIBS) proto) cmocka) -c $< -o $@
$(B)/librig.a: $(RIG_C:%.c=$(B)/%.o)
	@rm -f $@; ar rcs $@ $^
-include $(RIG_C:%.c=$(B)/%.d)

define test_folder # 1: unit or integration, 2: owner
$(B)/tests/$(1)/$(2)/%.o: tests/$(1)/$(2)/%.c $(if $(filter proto,$(call test_uses,$(2))),$(PROTO_H))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(WARNINGS) -MMD -MP $(call test_includes,$(2)) $(call pkgcflags,$(call test_pkgs,$(2),cmocka)) -c $$< -o $$@
$(patsubst %.c,$(B)/%,$(call test_sources,$(1),$(2))) $(B)/tests/$(1)/$(2)/none: %: %.o $(patsubst %.c,$(B)/%.o,$(call test_helpers,$(1),$(2))) $(call test_archives,$(2))
	$$(Q)$$(call test_link) $(call pkglibs,$(call test_pkgs,$(2),cmocka)) -lm -lpthread
-include $(wildcard $(B)/tests/$(1)/$(2)/*.d)
endef
$(foreach k,unit integration,$(foreach o,$(LIBS) $(SERVICES),$(if $(wildcard tests/$(k)/$(o)/*.c),$(eval $(call test_folder,$(k),$(o))))))

# tests/e2e: scripts as they are, and C programs (tests, or what scripts call), which use every library
E2E_C := $(wildcard tests/e2e/*.c)
$(B)/tests/e2e/%.o: tests/e2e/%.c $(PROTO_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(call test_includes) $(call pkgcflags,$(call pkgs,$(LIBS) proto)) -c $< -o $@
$(E2E_C:%.c=$(B)/%): %: %.o $(call archives,$(LIBS) proto)
	$(Q)$(call test_link) $(call pkglibs,$(call pkgs,$(LIBS) proto)) -lm -lpthread
e2e_programs = $(filter-out %.c %.h,$(wildcard tests/e2e/test_*)) $(patsubst %.c,$(O)/debug/%,$(filter tests/e2e/test_%,$(E2E_C)))

include tests/fuzz.mk tests/lint.mk tests/bench/module.mk tests/sim/sim.mk

.PHONY: unit-programs integration-programs e2e-programs unit integration e2e clients tsan test
unit-programs: $(call test_programs,unit,$(BUILD)) $(call fuzz_replays,$(BUILD))
integration-programs: $(call test_programs,integration,$(BUILD))
e2e-programs: all $(E2E_C:%.c=$(B)/%)

unit:
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=$(unit_BUILD) unit-programs
	@tests/run $(call test_programs,unit,$(unit_BUILD)) $(call fuzz_replays,$(unit_BUILD))
integration:
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=$(BUILD) integration-programs
	@tests/run $(call test_programs,integration,$(BUILD))
e2e:
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=debug e2e-programs
	@tests/run $(e2e_programs)
CLIENTS ?=
clients:
	@deploy/local/install clients
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=debug all
	@tests/clients/run $(CLIENTS)
# the owners of threads: librdkafka's call-backs, the maintenance of tables
TSAN_OWNERS ?= bus service
tsan_programs = $(foreach o,$(filter $(TSAN_OWNERS),$(OWNERS)),$(patsubst %.c,$(O)/tsan/%,$(call test_sources,unit,$(o))))
tsan:
	@$(MAKE) --no-print-directory unit BUILD=tsan OWNERS="$(TSAN_OWNERS)"

# What was installed decides how the rest is built, hence makes of their own after it.
test:
	@deploy/local/install test
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=debug all integration-programs e2e-programs && \
	$(MAKE) --no-print-directory -s $(jobs) BUILD=asan unit-programs && \
	$(MAKE) --no-print-directory -s $(jobs) BUILD=release sim-program && \
	$(MAKE) --no-print-directory -s $(jobs) BUILD=tsan OWNERS="$(filter $(TSAN_OWNERS),$(OWNERS))" unit-programs || \
	{ echo "the build failed, so no test was run"; echo "0 passed, 1 failed"; exit 1; }
	@tests/run $(call test_programs,unit,asan) $(tsan_programs) $(call fuzz_replays,asan) $(sim_program) $(call test_programs,integration,debug) $(e2e_programs)
