-- What operators did with dead letters. A letter is known by its place and time: offsets alone begin again in a new cluster.

create table accounts.dlq_actions (
    tenant_id uuid not null, -- zeros: the letter does not say whose it is
    topic varchar(255) not null,
    part int not null,
    record_offset bigint not null,
    record_time timestamptz not null,
    -- replaying: about to be sent; replayed: the log has it again
    action varchar(50) not null check (action in ('replaying', 'replayed', 'dropped')),
    times int not null default 1,
    actor varchar(255) not null,
    at timestamptz not null default now(),
    primary key (tenant_id, topic, part, record_offset, record_time)
);
