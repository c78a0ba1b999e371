/* Questions to the index, and what is noted in it. */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS                                                                                    \
    "tenant_id, topic, part, record_offset, "                                                      \
    "(extract(epoch from record_time) * 1000)::bigint, "                                           \
    "code, field, reason, service, source, message_id, subject, coalesce(said, ''), state, "       \
    "times, coalesce(actor, ''), (extract(epoch from acted_at) * 1000000)::bigint"
#define MAX_CONDITIONS 16
#define NEAR           1000 /* records */

/* A statement whose conditions are what was asked for. */
struct question {
    struct buf sql;
    const char *values[MAX_CONDITIONS];
    int n;
    struct arena *arena;
};

static const char *number(struct arena *arena, int64_t value)
{
    return arena_printf(arena, "%lld", (long long)value);
}

/* `condition` has one %d, the number of its value. */
static void where(struct question *q, const char *condition, const char *value)
{
    if (!value)
        return;
    assert(q->n < MAX_CONDITIONS);
    q->values[q->n++] = value;
    buf_append_str(&q->sql, " and ");
    for (const char *at = condition; *at; at++) {
        if (*at == '?')
            buf_printf(&q->sql, "$%d", q->n);
        else
            buf_append_byte(&q->sql, (uint8_t)*at);
    }
}

static const char *uuid_text(struct arena *arena, const struct uuid *uuid)
{
    char *text = arena_alloc(arena, UUID_TEXT_SIZE);
    if (text)
        uuid_format(text, uuid->bytes);
    return text;
}

static const char *time_text(struct arena *arena, int64_t time_us)
{
    char *text = arena_alloc(arena, TIME_TEXT_SIZE);
    if (text)
        time_format(text, time_us);
    return text;
}

static struct slice column(const PGresult *rows, int row, int i, struct arena *arena)
{
    return arena_slice(arena,
                       slice_make(PQgetvalue(rows, row, i), (size_t)PQgetlength(rows, row, i)));
}

static int64_t integer(const PGresult *rows, int row, int i)
{
    return strtoll(PQgetvalue(rows, row, i), NULL, 10);
}

static bool fill(struct letter *letter, const PGresult *rows, int row, struct arena *arena)
{
    *letter = (struct letter){
        .topic = topic_find(PQgetvalue(rows, row, 1)),
        .partition = (int32_t)integer(rows, row, 2),
        .offset = integer(rows, row, 3),
        .time_us = integer(rows, row, 4) * 1000,
        .code = column(rows, row, 5, arena),
        .field = column(rows, row, 6, arena),
        .reason = column(rows, row, 7, arena),
        .service = column(rows, row, 8, arena),
        .source = column(rows, row, 9, arena),
        .message_id = column(rows, row, 10, arena),
        .subject = column(rows, row, 11, arena),
        .said = column(rows, row, 12, arena),
        .state = (enum letter_state)letter_state_find(column(rows, row, 13, arena)),
        .times = (int)integer(rows, row, 14),
        .actor = column(rows, row, 15, arena),
        .acted_us = PQgetisnull(rows, row, 16) ? TIME_NONE : integer(rows, row, 16),
    };
    return letter->topic >= 0 && uuid_parse(&letter->tenant, column(rows, row, 0, arena)) >= 0;
}

static void conditions(struct question *q, const struct letters_filter *f,
                       const struct letter *after)
{
    struct arena *arena = q->arena;
    where(q, "tenant_id = ?", f->tenant ? uuid_text(arena, f->tenant) : NULL);
    where(q, "topic = ?", f->topic >= 0 ? topic_name(f->topic) : NULL);
    where(q, "state = ?", f->state >= 0 ? letter_state_name((enum letter_state)f->state) : NULL);
    where(q, "(code = ? or position(? in reason) > 0)", f->reason);
    where(q, "message_id = ?", f->message_id);
    where(q, "subject = ?", f->subject);
    where(q, "part = ?", f->partition >= 0 ? number(arena, f->partition) : NULL);
    where(q, "record_offset = ?", f->offset >= 0 ? number(arena, f->offset) : NULL);
    if (!after)
        return;
    int n = q->n;
    q->values[q->n++] = time_text(arena, after->time_us);
    q->values[q->n++] = topic_name(after->topic);
    q->values[q->n++] = number(arena, after->partition);
    q->values[q->n++] = number(arena, after->offset);
    buf_printf(
        &q->sql,
        " and (record_time, topic, part, record_offset) %s ($%d::timestamptz, $%d, $%d::int, "
        "$%d::bigint)",
        f->oldest_first ? ">" : "<", n + 1, n + 2, n + 3, n + 4);
}

int letters_list(struct letters *l, const struct letters_filter *filter, const struct letter *after,
                 unsigned limit, struct letters_page *page, struct arena *arena, struct err *err)
{
    struct question q = {.arena = arena};
    PGresult *rows = NULL;
    buf_append_str(&q.sql, "select " COLUMNS " from accounts.dead_letters where true");
    conditions(&q, filter, after);
    const char *order = filter->oldest_first ? "asc" : "desc";
    buf_printf(&q.sql, " order by record_time %s, topic %s, part %s, record_offset %s limit %u",
               order, order, order, order, limit + 1);
    *page = (struct letters_page){.list = arena_alloc(arena, (limit + 1) * sizeof(struct letter))};
    int r = letters_query(l, &rows, err, (const char *)q.sql.data, q.n, q.values);
    int n = r >= 0 ? PQntuples(rows) : 0;
    page->more = n > (int)limit;
    for (int i = 0; page->list && i < n && page->n < limit; i++)
        page->n += fill(&page->list[page->n], rows, i, arena);
    PQclear(rows);
    buf_deinit(&q.sql);
    if (r >= 0 && arena_overflowed(arena))
        r = err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT, "no memory for so many letters");
    return r;
}

int letters_counts(struct letters *l, const struct uuid *tenant, struct json_writer *w,
                   struct err *err)
{
    PGresult *rows = NULL;
    char id[UUID_TEXT_SIZE];
    uuid_format(id, tenant->bytes);
    const char *values[] = {id};
    int r = letters_query(l, &rows, err,
                          "select topic, code, state, count(*) from accounts.dead_letters "
                          "where tenant_id = $1 group by 1, 2, 3 order by 4 desc, 1, 2, 3",
                          1, values);
    if (r < 0)
        return r;
    json_begin_array(w);
    for (int i = 0; i < PQntuples(rows); i++) {
        int topic = topic_find(PQgetvalue(rows, i, 0));
        json_begin_object(w);
        json_key(w, "topic");
        json_write_str(w, topic < 0 ? PQgetvalue(rows, i, 0) : topic_info(topic)->name);
        json_key(w, "reason");
        json_write_str(w, PQgetvalue(rows, i, 1));
        json_key(w, "state");
        json_write_str(w, PQgetvalue(rows, i, 2));
        json_key(w, "count");
        json_write_int(w, integer(rows, i, 3));
        json_end_object(w);
    }
    json_end_array(w);
    PQclear(rows);
    return 0;
}

int letters_find(struct letters *l, const struct uuid *tenant, struct letter *letter, bool *found,
                 struct arena *arena, struct err *err)
{
    PGresult *rows = NULL;
    const char *values[] = {uuid_text(arena, tenant), topic_name(letter->topic),
                            number(arena, letter->partition), number(arena, letter->offset),
                            time_text(arena, letter->time_us)};
    int r = letters_query(l, &rows, err,
                          "select " COLUMNS
                          " from accounts.dead_letters where tenant_id = $1 and topic = $2 and "
                          "part = $3 and record_offset = $4 and record_time = $5",
                          ARRAY_SIZE(values), values);
    if (r < 0)
        return r;
    *found = PQntuples(rows) == 1 && fill(letter, rows, 0, arena);
    PQclear(rows);
    return 0;
}

int letters_note(struct letters *l, const struct letter *list, unsigned n, enum letter_state state,
                 bool again, const struct letters_actor *actor, bool *noted, struct err *err)
{
    int r = letters_begin(l, err);
    if (r < 0)
        return r;
    for (unsigned i = 0; r >= 0 && i < n; i++) {
        PGresult *rows = NULL;
        char id[LETTER_ID_SIZE];
        letter_id(id, &list[i]);
        const char *values[] = {uuid_text(l->scratch, &list[i].tenant),
                                topic_name(list[i].topic),
                                number(l->scratch, list[i].partition),
                                number(l->scratch, list[i].offset),
                                time_text(l->scratch, list[i].time_us),
                                letter_state_name(state),
                                again ? "true" : "false",
                                actor->name,
                                actor->address,
                                id};
        r = letters_query(
            l, &rows, err,
            "with done as (update accounts.dead_letters set state = $6, actor = $8, acted_at = "
            "now(), times = times + ($6 = 'replayed')::int where tenant_id = $1::uuid and topic = "
            "$2 and part = $3 and record_offset = $4 and record_time = $5 and (state = 'open' or "
            "$7::bool or (state, $6) = ('replaying', 'replayed')) returning 1), logged as "
            "(insert into accounts.audit_logs (tenant_id, id, actor, action, target, address) "
            "select $1::uuid, gen_random_uuid(), left($8, 255), 'dead_letter.' || $6, "
            "left($10, 255), $9 from done) select 1 from done",
            ARRAY_SIZE(values), values);
        if (r >= 0)
            noted[i] = PQntuples(rows) == 1;
        PQclear(rows);
    }
    arena_reset(l->scratch);
    return letters_end(l, r, err);
}

/* ---- the letters themselves ---- */

struct fetching {
    const struct letter *list;
    unsigned *order;       /* of list, by place */
    unsigned n, at, until; /* until: the end of the present group */
    void (*take)(void *user, unsigned i, const struct bus_record *record);
    void *user;
};

static int by_place(const void *a, const void *b, void *user)
{
    const struct letter *list = user;
    const struct letter *x = &list[*(const unsigned *)a], *y = &list[*(const unsigned *)b];
    if (x->topic != y->topic)
        return x->topic < y->topic ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool take_wanted(void *user, const struct bus_record *record)
{
    struct fetching *f = user;
    while (f->at < f->until && f->list[f->order[f->at]].offset < record->offset)
        f->at++;
    const struct letter *letter = f->at < f->until ? &f->list[f->order[f->at]] : NULL;
    if (letter && record->offset == letter->offset &&
        record->time_us / 1000 == letter->time_us / 1000)
        f->take(f->user, f->order[f->at++], record);
    return true;
}

/* Letters of one partition that lie near each other are one reading. */
static void find_group(struct fetching *f)
{
    for (f->until = f->at + 1; f->until < f->n; f->until++) {
        const struct letter *a = &f->list[f->order[f->until - 1]];
        const struct letter *b = &f->list[f->order[f->until]];
        if (a->topic != b->topic || a->partition != b->partition || b->offset - a->offset > NEAR)
            break;
    }
}

static int read_group(struct letters *l, struct fetching *f, int timeout_ms, struct err *err)
{
    int64_t begin, end;
    const struct letter *first = &f->list[f->order[f->at]];
    const struct letter *last = &f->list[f->order[f->until - 1]];
    int r = bus_range(l->bus, first->topic, first->partition, &begin, &end, timeout_ms, err);
    if (r < 0)
        return r;
    struct bus_span span = {first->topic, first->partition, max_i64(first->offset, begin),
                            min_i64(last->offset + 1, end), false};
    r = bus_scan(l->bus, &span, 1, timeout_ms, take_wanted, f, err);
    if (r == 0)
        return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "the log does not answer");
    return r;
}

int letters_read(struct letters *l, const struct letter *list, unsigned n, int timeout_ms,
                 void (*take)(void *user, unsigned i, const struct bus_record *record), void *user,
                 struct err *err)
{
    struct fetching f = {.list = list, .n = n, .take = take, .user = user};
    int r = 0;
    f.order = calloc(n + 1, sizeof(*f.order));
    if (!f.order)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no memory");
    for (unsigned i = 0; i < n; i++)
        f.order[i] = i;
    struct letter *places = arena_copy(l->scratch, list, n * sizeof(*list));
    if (places)
        qsort_r(f.order, n, sizeof(*f.order), by_place, places);
    for (; r >= 0 && f.at < n; f.at = f.until) {
        find_group(&f);
        r = read_group(l, &f, timeout_ms, err);
    }
    arena_reset(l->scratch);
    free(f.order);
    return r < 0 ? r : 0;
}
