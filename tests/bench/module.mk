# Benchmarks: tests/bench/run says what is measured. Release builds, whatever BUILD says.
#
#   make bench                      all of it, in under five minutes
#   make bench PARTS="pipeline"     some of it

BENCH_C := $(wildcard tests/bench/*.c)
$(B)/tests/bench/%.o: tests/bench/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(call includes,base) -c $< -o $@
$(B)/tests/bench/load: $(BENCH_C:%.c=$(B)/%.o) $(B)/libbase.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(call pkglibs,$(call pkgs,base)) -lm
-include $(BENCH_C:%.c=$(B)/%.d)

.PHONY: bench bench-programs
bench-programs: $(SERVICES:%=$(B)/bin/%) $(B)/tests/bench/load
bench:
	@deploy/local/install test
	@$(MAKE) --no-print-directory $(parallel) BUILD=release bench-programs
	@JOURNEY_BIN=$(CURDIR)/$(O)/release/bin tests/bench/run $(PARTS)
