LIBS += config
config_SRC := src/config.c src/metrics.c
config_USES := base
