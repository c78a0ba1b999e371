LIBS += store
store_SRC := src/store.c src/pg.c src/pg_encode.c src/pg_sql.c src/pg_maintain.c src/migrate.c src/mem.c
store_USES := base
store_PKGS := libpq libevent
