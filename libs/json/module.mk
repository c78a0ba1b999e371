LIBS += json
json_SRC := src/parse.c src/value.c src/write.c
json_USES := base
