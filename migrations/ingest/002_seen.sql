-- Which message ids a device has sent: chunks of 8-byte hashes, by hour of receipt. `hour` is the hour plus the chunk's
-- number in microseconds. Partitions by hour are made ahead and dropped whole by the service; <table>_r<hour>.

create table ingest.seen (
    tenant_id uuid not null,
    id text not null,
    hour timestamptz not null,
    hashes bytea not null,
    primary key (tenant_id, id, hour)
) partition by range (hour);
alter table ingest.seen alter hashes set storage external;
