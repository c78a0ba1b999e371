select common.create_stream_tables();
