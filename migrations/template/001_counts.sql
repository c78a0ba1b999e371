-- One row per counter; its state is the message that decisions see.
create table template.counts (
    tenant_id uuid not null,
    id varchar(255) not null,
    value bigint not null,
    state bytea,
    primary key (tenant_id, id)
);
