LIBS += topics
topics_SRC := src/topics.c
topics_USES := base
