-- Sessions and what a person's sessions add up to. Written by journey-state only: the row of a session in the same
-- transaction as its state.

create table journey.journey_sessions (
    tenant_id uuid not null,
    id uuid not null,
    session_id varchar(100) not null check (session_id <> ''),
    -- the first 128 bits of the keyed hash of the id as sent
    user_id uuid,
    persona_type varchar(50) not null,
    persona_confidence double precision check (persona_confidence between 0 and 1),
    device_type varchar(50) not null check (device_type in ('mobile', 'tablet', 'desktop')),
    device_fingerprint text,
    start_timestamp timestamptz not null,
    end_timestamp timestamptz,
    current_stage varchar(50) not null
        check (current_stage in ('awareness', 'consideration', 'decision', 'conversion', 'retention')),
    journey_path varchar(100) not null,
    conversion_probability double precision check (conversion_probability between 0 and 1),
    total_touchpoints int not null default 0,
    total_session_time int not null default 0,
    entry_point jsonb,
    utm_data jsonb,
    referrer_data jsonb,
    exit_point jsonb,
    -- the latest few; all of them are in conversion_events
    conversion_events jsonb not null default '[]',
    -- mirror of personalization's
    ux_intelligence_context jsonb,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    state bytea,
    primary key (tenant_id, id)
) with (
    -- a touchpoint changes no indexed column, so its update stays in the page (heap-only) while there is room
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0.05
);
-- compressed states would be decompressed for every read; they are small
alter table journey.journey_sessions alter state set storage external;
create index idx_journey_sessions_user_id on journey.journey_sessions (tenant_id, user_id);
create index idx_journey_sessions_persona_type on journey.journey_sessions (tenant_id, persona_type);
create index idx_journey_sessions_device_type on journey.journey_sessions (tenant_id, device_type);
create index idx_journey_sessions_start_timestamp on journey.journey_sessions (tenant_id, start_timestamp);
create index idx_journey_sessions_end_timestamp on journey.journey_sessions (tenant_id, end_timestamp);
create index idx_journey_sessions_current_stage on journey.journey_sessions (tenant_id, current_stage);
-- The last: while the table has no statistics all of these cost the same, and of equals the planner takes the newest. Every
-- event looks its session up.
create unique index idx_journey_sessions_session_id on journey.journey_sessions (tenant_id, session_id);

-- A person's progress across sessions. Nothing writes it yet.
create table journey.customer_journeys (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    current_stage varchar(50) not null
        check (current_stage in ('awareness', 'consideration', 'decision', 'conversion', 'retention')),
    journey_path varchar(100),
    last_session_id varchar(100),
    total_sessions int not null default 0,
    total_touchpoints int not null default 0,
    total_conversions int not null default 0,
    total_value decimal(10, 2) not null default 0,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    last_conversion_at timestamptz,
    journey_data jsonb,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index idx_customer_journeys_user_id on journey.customer_journeys (tenant_id, user_id);

create table journey.journey_optimizations (
    tenant_id uuid not null,
    id uuid not null,
    session_id varchar(100) not null,
    type varchar(50) not null,
    confidence double precision check (confidence between 0 and 1),
    impact double precision check (impact between 0 and 1),
    strategy varchar(100) not null,
    applied_at timestamptz not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index idx_journey_optimizations_session_id on journey.journey_optimizations (tenant_id, session_id);
