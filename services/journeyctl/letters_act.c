/*
 * Sending dead letters back, or marking them as done with.
 *
 *   replay:  note "replaying" ──► the record goes to its topic under a new id ──► note "replayed"
 *
 * The note comes first, so that a letter is never sent back twice by accident; one that stays at "replaying" may have been.
 */
#include "database.h"
#include "letters.h"
#include "operate.h"
#include "publish.h"

#include <stdio.h>

struct acting {
    struct ctl *ctl;
    bool again, drop;
    int status;
    int64_t done, refused, empty, raw;
};

/* The letter's place; *noted: false when something was done with it before. */
static int note(struct acting *a, const struct letter *letter, const char *action, bool again,
                bool *noted)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    struct arena *arena = a->ctl->arena;
    const struct bus_record *record = letter->record;
    char time[TIME_TEXT_SIZE];
    time_format(time, record->time_us);
    int status = database_query(
        a->ctl, &rows,
        "insert into accounts.dlq_actions as d (tenant_id, topic, part, record_offset, "
        "record_time, "
        "action, actor) values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, topic, part, "
        "record_offset, record_time) do update set action = excluded.action, actor = "
        "excluded.actor, "
        "times = d.times + (excluded.action = 'replaying')::int, at = now() where $8::bool "
        "returning times",
        8, letter->tenant, topic_name(letter->topic), arena_printf(arena, "%d", record->partition),
        arena_printf(arena, "%lld", (long long)record->offset), time, action, ctl_actor(),
        again ? "true" : "false");
    if (status == CTL_DONE)
        *noted = PQntuples(rows) == 1;
    return status;
}

/* As it was, without what its dead letter added, and with an id that no reader takes for a number seen before. */
static int send_back(struct ctl *ctl, const struct letter *letter)
{
    struct bus_header headers[BUS_MAX_HEADERS];
    const struct bus_record *record = letter->record;
    unsigned n = 0;
    for (unsigned i = 0; i < record->n_headers; i++)
        if (strncmp(record->headers[i].name, "dlq-", 4) != 0 &&
            strcmp(record->headers[i].name, "ce_id") != 0)
            headers[n++] = record->headers[i];
    char id[200];
    int size = snprintf(id, sizeof(id), "replay:%s:%d:%lld:%lld", topic_name(letter->topic),
                        record->partition, (long long)record->offset,
                        (long long)clock_system()->now_us(clock_system()));
    headers[n < BUS_MAX_HEADERS ? n : BUS_MAX_HEADERS - 1] =
        (struct bus_header){"ce_id", slice_make(id, (size_t)size)};
    const struct bus_message message = {
        .topic = letter->topic & ~TOPIC_DLQ,
        .partition = record->partition,
        .key = record->key,
        .value = record->value,
        .headers = headers,
        .n_headers = n < BUS_MAX_HEADERS ? n + 1 : BUS_MAX_HEADERS,
    };
    return publish_message(ctl, &message);
}

/* The gateway keeps what it could not read as an event in the client's own words, which no topic takes. */
static bool is_raw(const struct letter *letter)
{
    const struct bus_header *service = bus_record_header(letter->record, "dlq-service");
    return service && slice_equal_str(service->value, "gateway");
}

static int act(struct acting *a, const struct letter *letter)
{
    bool noted = false;
    if (!a->drop && is_raw(letter)) {
        a->raw++;
        return CTL_DONE;
    }
    if (!a->drop && !letter->record->value.data) {
        a->empty++; /* it was too large to be kept whole */
        return CTL_DONE;
    }
    int status = note(a, letter, a->drop ? "dropped" : "replaying", a->again, &noted);
    if (status != CTL_DONE)
        return status;
    if (!noted) {
        a->refused++;
        return CTL_DONE;
    }
    if (!a->drop) {
        status = send_back(a->ctl, letter);
        if (status == CTL_DONE)
            status = note(a, letter, "replayed", true, &noted);
    }
    a->done += status == CTL_DONE;
    return status;
}

static bool act_on_letter(void *user, const struct letter *letter)
{
    struct acting *a = user;
    a->status = act(a, letter);
    return a->status == CTL_DONE;
}

static int report(const struct acting *a)
{
    const char *verb = a->drop ? "dropped" : "sent back";
    printf("%s %lld\n", verb, (long long)a->done);
    if (a->empty > 0)
        (void)fprintf(stderr, "%lld could not be kept whole and cannot be sent back\n",
                      (long long)a->empty);
    if (a->raw > 0)
        (void)fprintf(stderr,
                      "%lld are no events yet, but what a client sent: mend them and send them to "
                      "the gateway\n",
                      (long long)a->raw);
    if (a->refused > 0)
        (void)fprintf(stderr, "%lld were dealt with before; with --again they are %s once more\n",
                      (long long)a->refused, verb);
    if (a->done == 0 && a->refused == 0 && a->empty == 0 && a->raw == 0)
        return ctl_fail(CTL_FAILED, "no dead letter fits\n  which there are: journeyctl dlq list");
    return a->done > 0 ? CTL_DONE : CTL_FAILED;
}

static int act_on_letters(struct ctl *ctl, const struct args *args, bool drop)
{
    struct letters_filter filter;
    struct acting a = {.ctl = ctl, .again = args_has(args, "again"), .drop = drop};
    int status = letters_filter_init(ctl, args, &filter);
    filter.letter = act_on_letter;
    filter.user = &a;
    /* the producer is made with its topic, before the reader needs the same bus */
    if (status == CTL_DONE)
        status = ctl_bus(ctl, filter.topic & ~TOPIC_DLQ);
    if (status == CTL_DONE)
        status = letters_scan(ctl, &filter);
    if (a.status != CTL_DONE)
        status = a.status;
    int reported = report(&a);
    if (status == CTL_DONE)
        return reported;
    return a.done > 0 ? CTL_PARTLY : status;
}

int command_dlq_replay(struct ctl *ctl, const struct args *args)
{
    return act_on_letters(ctl, args, false);
}

int command_dlq_drop(struct ctl *ctl, const struct args *args)
{
    return act_on_letters(ctl, args, true);
}
