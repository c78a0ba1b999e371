# Fuzzing: tests/fuzz/fuzz_<name>.c holds LLVMFuzzerTestOneInput, tests/fuzz/corpus/<name>/ its inputs.
#
#   make fuzz                      each target for FUZZ_SECONDS (default 30), libFuzzer with ASan and UBSan
#   make fuzz FUZZ_RUNS=10000000   each for so many inputs
#   make fuzz FUZZ="json"          only these
#
# Inputs have at most FUZZ_BYTES; one that takes over ten seconds is a finding, too. An ordinary test run replays the corpus
# through replay.c. What a target finds anew goes to $(O)/fuzz/corpus/<name>, what breaks it to $(O)/fuzz/; copy it into
# tests/fuzz/corpus/<name> with the fix. A target is built as its owner's tests are: the library or service of its name, else
# fuzz_<name>_OWNER, else base.

FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 30
FUZZ_RUNS ?=
FUZZ_BYTES ?= 4096
$(foreach f,commands form_api form_cloudevents form_jitsu form_posthog form_segment form_snowplow gunzip heads mask query,\
    $(eval fuzz_$(f)_OWNER := gateway))
fuzz_csv_OWNER := journeyctl
fuzz_owner = $(or $(filter $(1),$(LIBS) $(SERVICES)),$(fuzz_$(1)_OWNER),base)
fuzz_replays = $(foreach f,$(FUZZ),$(if $(filter $(OWNERS),$(call fuzz_owner,$(f))),$(O)/$(1)/tests/fuzz/replay_$(f)))

define fuzz_target # 1: name, 2: owner
$(B)/tests/fuzz/fuzz_$(1).o: tests/fuzz/fuzz_$(1).c $(if $(filter proto,$(call test_uses,$(2))),$(PROTO_H))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(WARNINGS) -MMD -MP $(call test_includes,$(2)) $(call pkgcflags,$(call test_pkgs,$(2))) -c $$< -o $$@
$(B)/tests/fuzz/fuzz_$(1): $(B)/tests/fuzz/fuzz_$(1).o $(call test_archives,$(2))
	$$(Q)$$(call test_link,-fsanitize=fuzzer) $(call pkglibs,$(call test_pkgs,$(2))) -lm -lpthread
$(B)/tests/fuzz/replay_$(1): $(B)/tests/fuzz/fuzz_$(1).o $(B)/tests/fuzz/replay.o $(call test_archives,$(2))
	$$(Q)$$(call test_link) $(call pkglibs,$(call test_pkgs,$(2))) -lm -lpthread
-include $(wildcard $(B)/tests/fuzz/*.d)
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz_target,$(f),$(call fuzz_owner,$(f)))))
$(B)/tests/fuzz/replay.o: tests/fuzz/replay.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP -c $< -o $@

.PHONY: fuzz fuzz-programs $(FUZZ:%=fuzz-of-%)
fuzz-programs: $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)
fuzz:
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=fuzz fuzz-programs
	@$(MAKE) --no-print-directory -s -k $(jobs) BUILD=fuzz $(FUZZ:%=fuzz-of-%)
fuzz_options = $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS)) -max_len=$(FUZZ_BYTES) -timeout=10 -detect_leaks=0 \
    -artifact_prefix=$(O)/fuzz/$(1)- -print_final_stats=1 $(O)/fuzz/corpus/$(1) tests/fuzz/corpus/$(1)
$(FUZZ:%=fuzz-of-%): fuzz-of-%: $(B)/tests/fuzz/fuzz_%
	@mkdir -p $(O)/fuzz/corpus/$*; log=$(O)/fuzz/$*.log; found=0; \
	$< $(call fuzz_options,$*) >$$log 2>&1 || { found=1; tail -40 $$log; }; \
	inputs=$$(sed -n 's/^stat::number_of_executed_units: *//p' $$log | tail -1); \
	test $$found = 0 && echo "ok fuzz $*: $$inputs inputs, 0 findings" || { echo "not ok fuzz $*: $$inputs inputs, 1 finding"; exit 1; }
