SERVICES += gateway
gateway_files = $(patsubst services/gateway/%,%,$(wildcard $(1:%=services/gateway/%)))
gateway_SRC := $(call gateway_files,*.c)
gateway_DOMAIN := $(call gateway_files,domain/*.c domain/clients/*.c)
gateway_USES := base bus config decode http json letters proto redis service setting store topics
gateway_PKGS := zlib libevent
$(B)/services/gateway/recent_page.o: $(wildcard services/gateway/pages/*)
