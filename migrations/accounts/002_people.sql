-- People who sign in, and what they use and pay.

create table accounts.users (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    email varchar(255) not null,
    password text, -- Argon2id; null: signs in through the tenant's own issuer
    totp_secret bytea, -- sealed under the tenant's key
    status varchar(50) not null default 'invited' check (status in ('invited', 'active', 'locked', 'deleted')),
    failed_logins int not null default 0,
    locked_until timestamptz,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, email)
);

create table accounts.memberships (
    tenant_id uuid not null references accounts.organizations,
    user_id uuid not null,
    role varchar(50) not null check (role in ('owner', 'admin', 'editor', 'analyst', 'viewer')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references accounts.users
);

create table accounts.refresh_tokens (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    user_id uuid not null,
    token_hash bytea not null check (octet_length(token_hash) = 32),
    replaced_by uuid, -- rotated: using it again ends the whole family
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references accounts.users
);
create unique index idx_refresh_tokens_token_hash on accounts.refresh_tokens (token_hash);

create table accounts.usage_counters (
    tenant_id uuid not null references accounts.organizations,
    day date not null,
    name varchar(100) not null,
    value bigint not null default 0,
    primary key (tenant_id, day, name)
);

create table accounts.subscriptions (
    tenant_id uuid not null references accounts.organizations,
    id uuid not null,
    plan varchar(50) not null,
    price decimal(10,2) not null default 0,
    currency char(3) not null default 'EUR',
    period varchar(50) not null check (period in ('month', 'year')),
    state varchar(50) not null check (state in ('trial', 'active', 'past_due', 'cancelled')),
    starts_at timestamptz not null,
    ends_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
