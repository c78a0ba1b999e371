-- Tenants, their keys and settings, and who changed what. Owned by the gateway; journeyctl writes them for operators.

create table accounts.organizations (
    tenant_id uuid primary key,
    name varchar(255) not null unique check (name <> ''),
    status varchar(50) not null default 'active' check (status in ('active', 'deleted')),
    -- identifiers of users, devices and fingerprints leave the gateway only as hashes under this key
    hash_key bytea not null check (octet_length(hash_key) = 32),
    analytics_basis varchar(50) not null check (analytics_basis in ('consent', 'legitimate_interest')),
    analytics_reason text,
    plan varchar(50) not null default 'standard',
    region varchar(50) not null default 'eu',
    -- grows with every change of a setting; published: the newest version that the settings topic has
    settings_version bigint not null default 1,
    settings_published bigint not null default 0,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (analytics_basis = 'consent' or analytics_reason <> '')
);

-- Only those that differ from the default; the known keys, their ranges and defaults: journeyctl settings get.
create table accounts.settings (
    tenant_id uuid not null references accounts.organizations,
    key varchar(100) not null,
    value text not null,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, key)
);

create table accounts.projects (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    name varchar(255) not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

-- A key is good while expires_at is null or lies ahead; revoking sets it to now. The text itself is not kept.
create table accounts.api_keys (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    prefix varchar(50) not null,
    key_hash bytea not null check (octet_length(key_hash) = 32),
    kind varchar(50) not null check (kind in ('write', 'secret')),
    project varchar(255),
    scopes text[] not null default '{}',
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
-- found by the key alone: the key gives the tenant
create unique index idx_api_keys_key_hash on accounts.api_keys (key_hash);

-- Only grows: what was recorded stays as it was.
create table accounts.audit_logs (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    actor varchar(255) not null,
    action varchar(100) not null,
    target varchar(255) not null default '',
    before_hash bytea,
    after_hash bytea,
    address varchar(100),
    at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index idx_audit_logs_at on accounts.audit_logs (tenant_id, at);
create function accounts.audit_logs_stay() returns trigger language plpgsql as
$$ begin raise exception 'audit_logs only grows'; end $$;
create trigger audit_logs_stay before update on accounts.audit_logs
    for each statement execute function accounts.audit_logs_stay();
