# The simulation: tests/sim, a program with both services, on the twins.
#
#   make sim SEEDS=2000 SEED=1           runs so many seeds from that on; with SEED alone that one; STORY=1 tells what a failing one does
#   make sim-mutants SEEDS=2000          removes one guard after the other and says after how many seeds each was caught

SIM_BUILD ?= release
SIM_SERVICES := ingest journey-state
SIM_LIBS := $(filter $(LIBS) proto,$(sort $(foreach s,$(SIM_SERVICES),$(call uses,$($(s)_USES))) bus store stream config topics json base proto))
SIM_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))
sim_flags := -I. -Itests/sim $(foreach s,$(SIM_SERVICES),-Iservices/$(s)) $(call includes,$(LIBS) proto) $(call pkgcflags,$(call pkgs,$(SIM_LIBS) $(SIM_SERVICES)))

$(B)/tests/sim/%.o: tests/sim/%.c $(PROTO_H)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) -MMD -MP $(sim_flags) -c $< -o $@
-include $(wildcard $(B)/tests/sim/*.d)

# whole archives: a symbol that both services define is an error
sim_service_archives = $(foreach s,$(SIM_SERVICES),$(B)/lib$(s)-parts.a $(B)/lib$(s)-domain.a)
$(B)/tests/sim/sim: $(SIM_O) $(sim_service_archives) $(call archives,$(SIM_LIBS))
	@echo "  LD    $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $(SIM_O) -Wl,--whole-archive $(sim_service_archives) -Wl,--no-whole-archive -Wl,--start-group $(call archives,$(SIM_LIBS)) -Wl,--end-group $(call pkglibs,$(call pkgs,$(SIM_LIBS) $(SIM_SERVICES))) -lm -lpthread

sim_program := $(O)/release/tests/sim/sim

.PHONY: sim sim-program
sim-program: $(B)/tests/sim/sim
sim:
	@$(MAKE) --no-print-directory -s BUILD=$(SIM_BUILD) sim-program
	@SEEDS=$(SEEDS) SEED=$(SEED) STORY=$(STORY) $(O)/$(SIM_BUILD)/tests/sim/sim

.PHONY: sim-mutants
sim-mutants:
	@tests/sim/mutants/run $(O)/mutants $(or $(SEEDS),2000) $(MUTANTS)
