# Benchmarks: tests/bench/run says what is measured. Release builds, whatever BUILD says.
#
#   make bench                      most of it, in some ten minutes
#   make bench PARTS="pipeline"     some of it

BENCH_USES := $(sort $(call uses,bus proto))
BENCH_C := $(wildcard tests/bench/*.c)
BENCH_PROGRAMS := load population imports
load_OBJECTS := load requests histogram shop
imports_OBJECTS := imports shop
population_OBJECTS := population
$(B)/tests/bench/%.o: tests/bench/%.c $(PROTO_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(call includes,$(BENCH_USES)) $(call pkgcflags,$(call pkgs,$(BENCH_USES))) -c $< -o $@
define bench_program
$(B)/tests/bench/$(1): $($(1)_OBJECTS:%=$(B)/tests/bench/%.o) $(call archives,$(BENCH_USES))
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(call pkglibs,$(call pkgs,$(BENCH_USES))) -lm -lpthread
endef
$(foreach p,$(BENCH_PROGRAMS),$(eval $(call bench_program,$(p))))
-include $(BENCH_C:%.c=$(B)/%.d)

# the front door's own code, without a gateway around it
$(B)/tests/bench/steps.o: tests/bench/steps.c $(PROTO_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(call test_includes,gateway) $(call pkgcflags,$(call test_pkgs,gateway)) -c $< -o $@
$(B)/tests/bench/steps: $(B)/tests/bench/steps.o $(B)/tests/bench/shop.o $(B)/libgateway-domain.a $(call archives,$(call uses,$(gateway_USES)))
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call pkglibs,$(call pkgs,$(call uses,$(gateway_USES))) $(gateway_PKGS)) -lm -lpthread

.PHONY: bench bench-programs
bench-programs: $(SERVICES:%=$(B)/bin/%) $(BENCH_PROGRAMS:%=$(B)/tests/bench/%) $(B)/tests/bench/steps
bench:
	@deploy/local/install test
	@$(MAKE) --no-print-directory $(parallel) BUILD=release bench-programs
	@JOURNEY_BIN=$(CURDIR)/$(O)/release/bin tests/bench/run $(PARTS)
