-- Conversions. With an order, a row's id is the order's own, so that it has one row however often and wherever it is said.

create table journey.conversion_events (
    tenant_id uuid not null,
    id uuid not null,
    session_id varchar(100) not null,
    event_type varchar(50) not null,
    event_value decimal(10, 2) not null default 0,
    event_currency char(3) not null default 'EUR',
    order_id varchar(100),
    funnel_step varchar(50),
    conversion_timestamp timestamptz not null,
    attribution_data jsonb,
    product_data jsonb,
    user_data jsonb,
    campaign_data jsonb,
    device_data jsonb,
    revenue_attributed decimal(10, 2) not null default 0,
    commission_earned decimal(10, 2) not null default 0,
    lifetime_value_prediction decimal(10, 2),
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index idx_conversion_events_session_id on journey.conversion_events (tenant_id, session_id);
create index idx_conversion_events_event_type on journey.conversion_events (tenant_id, event_type);
create index idx_conversion_events_event_value on journey.conversion_events (tenant_id, event_value);
create index idx_conversion_events_conversion_timestamp
    on journey.conversion_events (tenant_id, conversion_timestamp);
-- the last: it is taken while there are no statistics, as that of journey_sessions
create index idx_conversion_events_order_id on journey.conversion_events (tenant_id, order_id);
