-- What every service on the stream runtime has in its schema: commits with its two functions, timers, answers.
-- A schema calls it from its 000_stream.sql; the tables are made in the schema whose migration is running.
--
-- commits is split by partition of the log, then by ranges of n, which are dropped whole. A row is 1 to 50 kB, so ranges are
-- small; one is made ahead each minute, and a partition commits at most some 200 times a second. The functions name the table
-- of each partition in statements of their own: a statement on `commits` would lock and look into all of them.

create function common.create_stream_tables(
    partitions int default current_setting('journey.partitions')::int, range_width bigint default 50000)
returns void language plpgsql as $make$
declare
    s text := current_schema();
    branches text := '';
begin
    execute format($sql$
        create table %1$I.commits (
            part int not null, n bigint not null, epoch bigint not null, done bigint not null, tries int not null,
            offsets bytea, numbers bytea, watermarks bytea, outbox bytea,
            primary key (part, n)
        ) partition by list (part)$sql$, s);
    -- Compressed by its writer already. Rows are only added and go with their table: vacuum would read all for nothing.
    execute format('alter table %I.commits alter outbox set storage external', s);
    for p in 0 .. partitions - 1 loop
        execute format('create table %1$I.commits_%2$s partition of %1$I.commits for values in (%2$s)'
                       ' partition by range (n)', s, p);
        for r in 0 .. 1 loop
            execute format('create table %1$I.commits_%2$s_r%3$s partition of %1$I.commits_%2$s'
                           ' for values from (%3$s) to (%4$s)'
                           ' with (autovacuum_enabled = off, toast.autovacuum_enabled = off)',
                           s, p, r * range_width, (r + 1) * range_width);
        end loop;
        -- Row n - 1 never changes, and the key of row n is what two writers meet at: who comes second waits for the
        -- first to end, and then inserts nothing.
        branches := branches || format($sql$
            when %2$s then
                insert into %1$I.commits_%2$s
                select %2$s, n[i], epoch[i], done[i], 0, offsets[i], numbers[i], watermarks[i], outbox[i]
                where exists (select from %1$I.commits_%2$s c
                              where c.part = %2$s and c.n = commit_fence.n[i] - 1
                                and c.epoch = commit_fence.epoch[i])
                on conflict do nothing;$sql$, s, p);
    end loop;

    execute format($sql$
        create function %1$I.commit_fence(part int[], n bigint[], epoch bigint[], done bigint[], offsets bytea[],
                                          numbers bytea[], watermarks bytea[], outbox bytea[])
        returns void language plpgsql as $fence$
        #variable_conflict use_variable
        declare
            fenced int[];
        begin
            for i in 1 .. cardinality(part) loop
                case part[i] %2$s
                end case;
                if not found then
                    fenced := fenced || part[i];
                end if;
            end loop;
            if fenced is not null then
                raise exception 'fenced' using errcode = 'JF001', detail = array_to_string(fenced, ',');
            end if;
        end $fence$$sql$, s, branches);

    -- Each statement of the loop sees what was committed before it began, so a lost race is run again on the new row.
    execute format($sql$
        create function %1$I.commit_own(p int) returns setof %1$I.commits language plpgsql as $own$
        begin
            loop
                return query
                    insert into %1$I.commits
                    select p, c.n + 1, c.epoch + 1, c.done, c.tries + 1, c.offsets, c.numbers, c.watermarks, null
                    from (select * from (values (0::bigint, 0::bigint, 1::bigint, 0, null::bytea, null::bytea, null::bytea))
                              as none (n, epoch, done, tries, offsets, numbers, watermarks)
                          union all
                          (select n, epoch, done, tries, offsets, numbers, watermarks
                           from %1$I.commits where part = p order by n desc limit 1)
                          order by n desc limit 1) c
                    on conflict do nothing
                    returning *;
                exit when found;
            end loop;
        end $own$$sql$, s);

    execute format($sql$
        create table %1$I.timers (
            part int not null, tenant_id uuid not null, id bytea not null, kind int not null, name text not null,
            due timestamptz not null, data bytea,
            primary key (part, tenant_id, id, kind, name)
        );
        create index timers_due on %1$I.timers (part, due);
        create table %1$I.answers (
            tenant_id uuid not null, id bytea not null, day date not null, state bytea,
            primary key (tenant_id, id, day)
        ) partition by range (day)$sql$, s);
end $make$;
