LIBS += service
service_SRC := src/process.c src/admin.c src/configure.c src/maintain.c src/probe.c src/connect.c src/main.c
service_USES := base bus config http redis store stream topics
# not beside the sanitizers, which bring an allocator of their own
service_PKGS := libevent $(if $(filter release,$(BUILD)),jemalloc)
