LIBS += http
http_SRC := src/server.c src/path.c src/client.c
http_USES := base
http_PKGS := libevent libcurl
