LIBS += decode
decode_SRC := src/decode.c
decode_USES := base json proto
decode_TEST_USES := topics
