-- What people stated about each purpose: a row a statement, never changed. The subject is the hex of the keyed hash of a device
-- or a user. What is in force is in the state of the subject (device_sessions); this is the history.

create table ingest.consents (
    tenant_id uuid not null,
    id uuid not null,
    subject text not null,
    -- grows with every statement of a subject
    number bigint not null,
    purpose varchar(50) not null
        check (purpose in ('analytics', 'personalization', 'cross_device', 'marketing', 'sale_or_sharing')),
    state varchar(50) not null check (state in ('granted', 'denied')),
    -- consent: the person's own statement; opt_out: a signal of the browser
    basis varchar(50) not null check (basis in ('consent', 'opt_out')),
    source varchar(50) not null,
    policy_version varchar(50),
    region varchar(50),
    at timestamptz not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index idx_consents_subject on ingest.consents (tenant_id, subject, number);
