-- Keys of subjects (a user's hash, else a device's; of dead letters a day's), each random and wrapped by the master key, which
-- is not in the database. No service works in this schema: they reach the table through two functions, which run as its owner.

create table keys (
    tenant_id uuid not null,
    subject bytea not null check (octet_length(subject) = 16),
    key bytea check (octet_length(key) <= 255), -- null: destroyed, and never made again
    created_at timestamptz not null default now(),
    destroyed_at timestamptz,
    primary key (tenant_id, subject),
    check ((key is null) = (destroyed_at is not null))
);

-- The key of each, null of one that was destroyed; of one that has none yet, the one proposed. Whoever comes first decides.
create function obtain_keys(tenants uuid[], subjects bytea[], proposed bytea[])
returns table (i bigint, key bytea) language plpgsql security definer set search_path = vault, pg_temp as $$
#variable_conflict use_column
begin
    -- in the order of the key, so that two callers with the same new subjects do not wait for each other
    insert into keys (tenant_id, subject, key)
        select distinct on (t, s) t, s, k from unnest(tenants, subjects, proposed) as u(t, s, k) order by t, s
        on conflict do nothing;
    -- a statement of its own: it sees what others committed while the insert waited for them
    return query
        select u.n, k.key from unnest(tenants, subjects) with ordinality as u(t, s, n)
        join keys k on k.tenant_id = u.t and k.subject = u.s;
end $$;

-- Destroys keys, and marks subjects that have none: what comes later of an erased person is never sealed again. How many keys.
create function destroy_keys(tenants uuid[], subjects bytea[])
returns bigint language plpgsql security definer set search_path = vault, pg_temp as $$
declare
    destroyed bigint;
begin
    select count(*) into destroyed from unnest(tenants, subjects) as u(t, s)
        join keys k on k.tenant_id = u.t and k.subject = u.s where k.key is not null;
    insert into keys (tenant_id, subject, destroyed_at)
        select distinct t, s, now() from unnest(tenants, subjects) as u(t, s) order by t, s
        on conflict (tenant_id, subject) do update set key = null, destroyed_at = now() where keys.key is not null;
    return destroyed;
end $$;

revoke all on function obtain_keys, destroy_keys from public;
grant usage on schema vault to journey_accounts;
grant execute on function obtain_keys to journey_accounts;
