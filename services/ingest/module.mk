SERVICES += ingest
ingest_SRC := main.c service.c decide.c start.c record.c settings.c opening.c
ingest_DOMAIN := domain/validate.c domain/timing.c domain/seen.c domain/session.c domain/entry.c
ingest_USES := base json proto service store stream topics
