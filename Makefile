# The whole build: one non-recursive make. Each part adds itself in its module.mk:
#
#   library   LIBS += bus          bus_SRC := src/kafka.c ...   bus_USES := base topics     bus_PKGS := rdkafka
#   service   SERVICES += ingest   ingest_SRC := main.c ...     ingest_DOMAIN := domain/x.c  ingest_USES := ...  ingest_PKGS := ...
#
# A library is build/<type>/lib<name>.a and its include folder; a service is build/<type>/bin/<name>, its pure part the
# archive lib<name>-domain.a. USES are libraries (what they use comes along), PKGS are pkg-config packages.
# Tests are found by name: tests/unit/<owner>/test_*.c and tests/integration/<owner>/test_*.c, each a program that is linked
# with its owner and what the owner uses (tests/module.mk).

BUILD ?= debug
O ?= build
B := $(O)/$(BUILD)
CC_asan := clang-14
CC_tsan := clang-14
CC_fuzz := clang-14
CC := $(or $(CC_$(BUILD)),gcc)

CFLAGS_debug := -O1 -g
CFLAGS_release := -O2 -g -DRELEASE
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread
# comparisons are not traced: that costs two thirds of the inputs, and the corpus knows the words
CFLAGS_fuzz := $(CFLAGS_asan) -O2 -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wno-unused-parameter
CFLAGS := -std=gnu11 -D_GNU_SOURCE $(CFLAGS_$(BUILD)) -fstack-protector-strong -pipe
LDFLAGS := $(filter -fsanitize%,$(CFLAGS_$(BUILD)))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
Q := $(if $(V),,@) # V=1 shows the commands

LIBS :=
SERVICES :=
include $(wildcard libs/*/module.mk services/*/module.mk)

# --- messages: protobuf-c from proto/, the library "proto" -------------------------------------------------------------
PROTOS := $(wildcard proto/journey/v1/*.proto)
PROTO_C := $(PROTOS:proto/%.proto=$(O)/gen/%.pb-c.c)
PROTO_H := $(PROTO_C:.c=.h)
$(O)/gen/%.pb-c.c $(O)/gen/%.pb-c.h &: proto/%.proto
	@mkdir -p $(O)/gen
	@echo "  PROTO $<"
	$(Q)protoc-c --proto_path=proto --c_out=$(O)/gen $<
$(B)/proto/%.o: $(O)/gen/%.c $(PROTO_H)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS) -I$(O)/gen -c $< -o $@
$(B)/libproto.a: $(PROTO_C:$(O)/gen/%.c=$(B)/proto/%.o)
	@rm -f $@; ar rcs $@ $^
proto_PKGS := libprotobuf-c

# --- libraries and services -----------------------------------------------------------------------------------------------
# closure of USES, users before used, so that the linker finds everything
uses = $(if $(1),$(1) $(call uses,$(sort $(foreach l,$(1),$($(l)_USES)))))
# pkg-config is silent, as a machine on which nothing is installed yet reads this too, for `make install`
pkgs = $(sort $(foreach l,$(1),$($(l)_PKGS)))
pkgcflags = $(if $(1),$(shell pkg-config --cflags $(1) 2>/dev/null))
pkglibs = $(if $(1),$(shell pkg-config --libs $(1) 2>/dev/null))
archives = $(foreach l,$(1),$(B)/lib$(l).a)
includes = $(foreach l,$(sort $(1)),$(if $(filter proto,$(l)),-I$(O)/gen,-Ilibs/$(l)/include))

define objects # 1: owner's folder, 2: name, 3: sources, 4: used libraries
$(B)/$(1)/%.o: $(1)/%.c $(if $(filter proto,$(4)),$(PROTO_H))
	@mkdir -p $$(@D)
	@echo "  CC    $$<"
	$(Q)$$(CC) $$(CFLAGS) $$(WARNINGS) -MMD -MP -I$(1) $(call includes,$(4)) $(call pkgcflags,$(call pkgs,$(4) $(2))) -c $$< -o $$@
-include $(wildcard $(patsubst %.c,$(B)/$(1)/%.d,$(3)))
endef

define library
$(call objects,libs/$(1),$(1),$($(1)_SRC),$(1) $(call uses,$($(1)_USES)))
$(B)/lib$(1).a: $(patsubst %.c,$(B)/libs/$(1)/%.o,$($(1)_SRC))
	@rm -f $$@; ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call library,$(l))))

define service
$(call objects,services/$(1),$(1),$($(1)_SRC) $($(1)_DOMAIN),$(call uses,$($(1)_USES)))
$(B)/lib$(1)-domain.a: $(patsubst %.c,$(B)/services/$(1)/%.o,$($(1)_DOMAIN))
	@rm -f $$@; ar rcs $$@ $$^
$(B)/bin/$(1): $(patsubst %.c,$(B)/services/$(1)/%.o,$($(1)_SRC)) $(if $($(1)_DOMAIN),$(B)/lib$(1)-domain.a) $(call archives,$(sort $(call uses,$($(1)_USES))))
	@mkdir -p $$(@D)
	@echo "  LD    $$@"
	$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(call pkglibs,$(call pkgs,$(1) $(call uses,$($(1)_USES)))) -lm -lpthread
# bin/ holds what was made last, of whatever BUILD
bin/$(1): $(B)/bin/$(1) $(if $(shell test bin/$(1) -ef $(B)/bin/$(1) && echo same),,again)
	@mkdir -p bin; ln -f $$< $$@ 2>/dev/null || cp -f $$< $$@
endef
$(foreach s,$(SERVICES),$(eval $(call service,$(s))))

.PHONY: all again
all: $(SERVICES:%=bin/%)
	@: # "nothing to be done" is not worth a line

include $(wildcard tests/module.mk deploy/local/module.mk)

.PHONY: clean
clean:
	rm -rf build bin
