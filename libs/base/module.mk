LIBS += base
base_SRC := src/error.c src/arena.c src/buf.c src/hash.c src/encoding.c src/time.c src/clock.c src/log.c
base_USES :=
base_PKGS := libsodium
base_TEST_USES := json
