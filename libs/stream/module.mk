LIBS += stream
stream_SRC := src/stream.c
stream_USES := base bus config proto store topics
stream_PKGS := libprotobuf-c liblz4
