LIBS += service
service_SRC := src/process.c src/configure.c src/main.c
service_USES := base bus config http store stream
service_PKGS := libevent
