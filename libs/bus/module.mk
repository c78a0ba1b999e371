LIBS += bus
bus_SRC := src/bus.c src/kafka.c src/kafka_admin.c src/mem.c
bus_USES := base topics
bus_PKGS := rdkafka
