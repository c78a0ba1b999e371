SERVICES += gateway
gateway_SRC := main.c gateway.c serve.c exchange.c slots.c routes.c keys.c key_cache.c rates.c rates_share.c buckets.c client_start.c events.c event_batch.c \
	commands.c command_build.c envelope.c broker.c gunzip.c stats.c
gateway_DOMAIN := domain/address.c domain/bodies.c domain/clients.c domain/clients/segment.c domain/context.c domain/credentials.c domain/cut.c domain/event.c domain/fault.c domain/form.c \
	domain/gather.c domain/identity.c domain/pressure.c domain/problem.c domain/schema.c domain/settings.c domain/value.c domain/wire.c
gateway_USES := base bus config http json proto redis service setting store topics
gateway_PKGS := zlib libevent
