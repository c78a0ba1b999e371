-- Touchpoints, by month of receipt: retention drops whole tables, and an event that comes late does not make an old one
-- grow again. Partitions are made ahead by the service; <table>_r<first day>.
--
-- A session's touchpoints are numbered by its only writer; look-ups by number use one index in every partition.

create table journey.journey_touchpoints (
    tenant_id uuid not null,
    received_at timestamptz not null,
    id uuid not null,
    session_id varchar(100) not null,
    touchpoint_sequence int not null check (touchpoint_sequence > 0),
    touchpoint_type varchar(50) not null,
    event_name varchar(255),
    page_url text,
    page_title varchar(255),
    interaction_type varchar(50),
    interaction_data jsonb,
    engagement_score double precision check (engagement_score between 0 and 1),
    duration_seconds int,
    scroll_depth double precision check (scroll_depth between 0 and 1),
    click_count int,
    conversion_value decimal(10, 2) not null default 0,
    timestamp timestamptz not null,
    device_context jsonb,
    performance_metrics jsonb,
    personalization_applied jsonb,
    ab_test_variant varchar(50),
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, received_at, id)
) partition by range (received_at);
-- Unique (tenant_id, session_id, touchpoint_sequence) is an index of each partition, made with it: one on the parent would
-- have to hold received_at as well.
create index idx_journey_touchpoints_timestamp on journey.journey_touchpoints (tenant_id, timestamp);

-- Those of people who did not agree to analytics, known only by their session's pseudonym: by day, each day dropped 48
-- hours after it began.
create table journey.journey_touchpoints_pseudonymous (
    like journey.journey_touchpoints including defaults including constraints,
    primary key (tenant_id, received_at, id)
) partition by range (received_at);
create index idx_journey_touchpoints_pseudonymous_timestamp
    on journey.journey_touchpoints_pseudonymous (tenant_id, timestamp);
