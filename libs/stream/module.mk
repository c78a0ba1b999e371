LIBS += stream
stream_SRC := src/stream.c src/setup.c src/check.c src/own.c src/intake.c src/pace.c src/attempt.c src/load.c src/decide.c src/effects.c src/apply.c \
	src/commit.c src/outbox.c src/position.c src/timers.c src/park.c src/call.c src/ask.c src/mirror.c src/settings.c src/cache.c src/number.c src/audit.c src/audit_part.c src/audit_cache.c
stream_USES := base bus config proto store topics
stream_PKGS := libprotobuf-c liblz4
