SERVICES += gateway
gateway_files = $(patsubst services/gateway/%,%,$(wildcard $(1:%=services/gateway/%)))
gateway_SRC := $(call gateway_files,*.c)
gateway_DOMAIN := $(call gateway_files,domain/*.c domain/clients/*.c)
gateway_DOMAIN_HEAP := 1 # the compiled patterns; messages use the arena
gateway_USES := base bus config decode http json letters privacy proto redis service setting store topics
gateway_PKGS := zlib libevent libpcre2-8
$(B)/services/gateway/recent_page.o: $(wildcard services/gateway/pages/*)
