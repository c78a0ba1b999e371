# Fuzzing: tests/fuzz/fuzz_<name>.c holds LLVMFuzzerTestOneInput, tests/fuzz/corpus/<name>/ its inputs.
#
#   make fuzz                      each target for FUZZ_SECONDS (default 30), libFuzzer with ASan and UBSan
#   make fuzz FUZZ="json"          only these
#
# An ordinary test run replays the corpus through replay.c. What a target finds anew goes to $(O)/fuzz/corpus/<name>,
# what breaks it to $(O)/fuzz/; copy it into tests/fuzz/corpus/<name> with the fix. A target is built as its owner's tests
# are: the library or service of its name, else fuzz_<name>_OWNER, else base.

FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 30
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

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)
fuzz:
	@$(MAKE) --no-print-directory -s $(jobs) BUILD=fuzz fuzz-programs
	@for f in $(FUZZ); do mkdir -p $(O)/fuzz/corpus/$$f; \
	$(O)/fuzz/tests/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(O)/fuzz/$$f- -print_final_stats=1 \
	    $(O)/fuzz/corpus/$$f tests/fuzz/corpus/$$f >$(O)/fuzz/$$f.log 2>&1 || { tail -40 $(O)/fuzz/$$f.log; echo "not ok fuzz $$f"; exit 1; }; \
	echo "ok fuzz $$f: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(O)/fuzz/$$f.log) inputs"; done
