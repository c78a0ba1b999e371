LIBS += http
http_SRC := src/server.c src/connection.c src/receive.c src/answer.c src/parse.c src/chunked.c src/path.c src/peers.c src/client.c
http_USES := base
http_PKGS := libevent libcurl
