-- The tables of tests/unit/store/conformance.h.
create table kinds (
    id bigint primary key, i int, b bigint, f double precision, o boolean, t text, y bytea, m timestamptz, u uuid,
    j jsonb, d numeric, a date
);
create table sums (
    name varchar(200) not null, kind int not null, made timestamptz, hits int, total double precision, big bigint,
    label text,
    primary key (name, kind)
);
create table seen (id uuid primary key, label text);
create table plain (id bigint primary key, label text);
create table items (owner uuid not null, seq bigint not null, score int, label text, primary key (owner, seq));
create index items_score on items (owner, score);
create table hours (id bigint not null, at timestamptz not null, primary key (id, at)) partition by range (at);
create table days (id bigint not null, day date not null, primary key (id, day)) partition by range (day);
create table months (id bigint not null, at timestamptz not null, primary key (id, at)) partition by range (at);
create table pairs (name text not null, kind int not null, label text, primary key (name, kind));
create function obtain_pairs(names text[], kinds int[], labels text[])
returns table (i bigint, label text) language plpgsql as $$
begin
    insert into pairs (name, kind, label) select n, k, min(l) from unnest(names, kinds, labels) as u(n, k, l) group by n, k
        on conflict do nothing;
    return query select u.i, p.label from unnest(names, kinds) with ordinality as u(n, k, i)
        join pairs p on p.name = u.n and p.kind = u.k;
end $$;
-- fails only when the transaction ends
create table parents (id bigint primary key);
create table children (
    id bigint primary key,
    parent bigint references parents (id) deferrable initially deferred
);
