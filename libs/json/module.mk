LIBS += json
json_SRC := src/parse.c src/value.c src/number.c src/write.c
json_USES := base
