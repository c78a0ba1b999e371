LIBS += store
store_SRC := src/store.c src/plan.c \
  src/pg.c src/pg_commit.c src/pg_result.c src/pg_link.c src/pg_statement.c src/pg_sql.c src/pg_encode.c src/pg_error.c \
  src/pg_sync.c src/pg_maintain.c src/migrate.c \
  src/mem.c src/mem_table.c src/mem_commit.c src/mem_late.c
store_USES := base
store_PKGS := libpq libevent
