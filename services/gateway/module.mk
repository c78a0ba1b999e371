SERVICES += gateway
gateway_SRC := main.c gateway.c serve.c exchange.c slots.c routes.c keys.c key_cache.c events.c event_batch.c \
	commands.c command_build.c envelope.c broker.c gunzip.c stats.c identifiers.c vault.c vault_cache.c
gateway_DOMAIN := domain/bodies.c domain/context.c domain/credentials.c domain/event.c domain/fault.c \
	domain/gather.c domain/identity.c domain/mask.c domain/pii.c domain/pii_check.c domain/pii_name.c domain/problem.c domain/schema.c domain/seal.c \
	domain/value.c domain/view.c
gateway_DOMAIN_HEAP := 1 # the compiled patterns; messages use the arena
gateway_USES := base bus config http json privacy proto service store topics
gateway_PKGS := zlib libevent libpcre2-8
