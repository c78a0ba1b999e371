SERVICES += ingest
ingest_SRC := main.c service.c decide.c start.c record.c settings.c context.c enrich.c opening.c \
	consent.c consent_topic.c consent_command.c pseudonym.c \
	agents.c agents_file.c places.c
ingest_DOMAIN := domain/validate.c domain/timing.c domain/seen.c domain/session.c domain/entry.c domain/url.c \
	domain/channel.c domain/agent.c domain/consent.c
ingest_USES := base config json proto service store stream topics
ingest_PKGS := libpcre2-8 yaml-0.1 libmaxminddb
