LIBS += store
store_SRC := src/store.c src/plan.c src/mem.c src/mem_table.c src/mem_commit.c src/mem_late.c
store_USES := base
store_PKGS := libpq libevent
