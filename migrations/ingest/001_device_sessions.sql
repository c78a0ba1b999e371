-- The recent sessions of each device, newest activity in the columns, all of them in `state` (journey.v1.DeviceRecord).
-- The device is the hex of its keyed hash. No index but the key: the row changes with every event of the device.

create table ingest.device_sessions (
    tenant_id uuid not null,
    device text not null,
    user_id uuid,
    session_id varchar(100),
    session_start timestamptz,
    last_seen_at timestamptz,
    sessions int not null default 0,
    state bytea not null,
    primary key (tenant_id, device)
) with (fillfactor = 65);
-- protobuf with hashes in it: not worth compressing
alter table ingest.device_sessions alter state set storage external;
