LIBS += bus
bus_SRC := src/bus.c src/mem.c src/mem_cluster.c src/mem_reader.c
bus_USES := base topics
bus_PKGS := rdkafka
