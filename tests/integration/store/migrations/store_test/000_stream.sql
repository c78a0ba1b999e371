-- short ranges, so that the tests see some pass
select common.create_stream_tables(range_width => 1000);
