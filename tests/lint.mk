# make lint: what the compiler does not say.
#
#   OWNERS="template"    looks only at these owners' files: half a minute instead of several
#   make format          puts their layout right
#
#   lint-format    clang-format over our .c and .h
#   lint-tidy      clang-tidy over our .c; a file is looked at again when it or a header changed
#   lint-headers   every public header compiles alone
#   lint-purity    what a service's domain archive calls outside of itself (tests/lint_purity); <service>_DOMAIN_HEAP := 1
#                  lets it use the heap, for a program that handles no messages
#   lint-proto     messages stay compatible with those of PROTO_BASE, a commit, HEAD by default (tests/lint_proto)

lint_chosen = $(if $(filter file undefined,$(origin OWNERS)),%,$(foreach o,$(OWNERS),$(addsuffix /$(o)/%,libs services tests/unit tests/integration)))
lint_find = $(sort $(shell find libs services tests deploy -name '*.$(1)' 2>/dev/null))
LINT_C := $(filter $(lint_chosen),$(call lint_find,c))
LINT_ALL_H := $(call lint_find,h)
LINT_H := $(filter $(lint_chosen),$(LINT_ALL_H))
LINT_PUBLIC := $(wildcard libs/*/include/*.h)
PROTO_BASE ?= HEAD

lint_owner = $(or $(call fuzz_owner_of,$(patsubst tests/fuzz/fuzz_%.c,%,$(filter tests/fuzz/fuzz_%,$(1)))), \
    $(if $(filter tests/bench/steps.c,$(1)),gateway),$(if $(filter tests/unit/% tests/integration/%,$(1)),$(word 3,$(subst /, ,$(1))),$(word 2,$(subst /, ,$(1)))))
fuzz_owner_of = $(if $(1),$(call fuzz_owner,$(1)))
lint_folders = $(wildcard libs/$(1) libs/$(1)/src services/$(1) tests/unit/$(1))
lint_flags = -std=gnu11 -D_GNU_SOURCE -Itests $(addprefix -I,$(call lint_folders,$(1))) $(call includes,$(LIBS) proto) \
    $(if $(filter sim,$(1)),$(sim_flags)) $(call pkgcflags,$(call pkgs,$(LIBS) $(SERVICES) proto) cmocka)

LINT_TIDY := $(LINT_C:%.c=$(O)/lint/%.tidy)
$(LINT_TIDY): $(O)/lint/%.tidy: %.c $(LINT_ALL_H) .clang-tidy | $(PROTO_H)
	@mkdir -p $(@D)
	@clang-tidy-14 --quiet $< -- $(call lint_flags,$(call lint_owner,$<)) >$@.log 2>&1 || { grep -v 'warnings\? generated\|^Suppressed' $@.log; exit 1; }
	@touch $@

LINT_HEADERS := $(LINT_PUBLIC:%.h=$(O)/lint/%.header)
$(LINT_HEADERS): $(O)/lint/%.header: %.h $(LINT_PUBLIC) | $(PROTO_H)
	@mkdir -p $(@D)
	@echo '#include "$(notdir $<)"' | gcc $(WARNINGS) $(call lint_flags,none) -fsyntax-only -x c -
	@touch $@

.PHONY: format lint lint-all lint-format lint-tidy lint-headers lint-purity lint-proto
format:
	@clang-format-14 -i $(LINT_C) $(LINT_H)
lint-format:
	@clang-format-14 --dry-run -Werror $(LINT_C) $(LINT_H)
	@echo "ok format"
lint-tidy: $(LINT_TIDY)
	@echo "ok tidy"
lint-headers: $(LINT_HEADERS)
	@echo "ok headers"
lint-purity: $(foreach s,$(SERVICES),$(if $($(s)_DOMAIN),$(B)/lib$(s)-domain.a))
	@tests/lint_purity $(foreach s,$(SERVICES),$(if $($(s)_DOMAIN),$(if $($(s)_DOMAIN_HEAP),heap:)$(B)/lib$(s)-domain.a))
	@echo "ok purity"
lint-proto:
	@tests/lint_proto $(PROTO_BASE) $(PROTOS)
	@echo "ok proto"
lint-all: lint-format lint-tidy lint-headers lint-purity lint-proto
lint:
	@$(MAKE) --no-print-directory -s -k $(or $(jobs),) BUILD=debug lint-all
