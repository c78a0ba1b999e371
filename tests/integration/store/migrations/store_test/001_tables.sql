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
-- fails only when the transaction ends
create table parents (id bigint primary key);
create table children (
    id bigint primary key,
    parent bigint references parents (id) deferrable initially deferred
);
