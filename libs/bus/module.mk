LIBS += bus
bus_SRC := src/bus.c src/scan.c src/kafka.c src/kafka_member.c src/kafka_reader.c src/kafka_lane.c src/kafka_producer.c src/kafka_admin.c src/mem.c src/mem_cluster.c src/mem_reader.c
bus_USES := base topics
bus_PKGS := rdkafka
