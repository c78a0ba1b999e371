LIBS += json
json_SRC := src/lexer.c src/parse.c src/reader.c src/value.c src/number.c src/write.c
json_USES := base
