/*
 * Dead letters: the index, as the gateway's /api/v1/dead-letters shows it, of one tenant or of all.
 *
 *   replay:  note "replaying" ──► the record goes to its topic under a new id ──► note "replayed"
 *
 * The note comes first, so that a letter is never sent back twice by accident; one that stays at "replaying" may have been.
 */
#include "identifiers.h"
#include "letters.h"
#include "operate.h"
#include "publish.h"
#include "scan.h"
#include "tenants.h"

#include <stdio.h>

#define REFRESH_MS 120000
#define READ_MS    10000
#define PAGE       500

struct asked {
    struct letters_filter filter;
    struct uuid tenant;
};

static int asked_init(struct ctl *ctl, const struct args *args, struct asked *asked)
{
    struct err err;
    struct tenant tenant = {0};
    struct letters_filter *filter = &asked->filter;
    const char *topic = args_get(args, "topic"), *name = args_get(args, "tenant");
    *filter = LETTERS_ANY;
    filter->reason = args_get(args, "reason");
    int status = topic ? scan_topic_find(topic, &filter->topic) : CTL_DONE;
    if (status == CTL_DONE && topic)
        filter->topic |= TOPIC_DLQ;
    if (args_int(args, "partition", -1, 0, INT32_MAX, &filter->partition, &err) < 0 ||
        args_int(args, "offset", -1, 0, INT64_MAX, &filter->offset, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    if (status != CTL_DONE || !name)
        return status;
    status = tenant_find(ctl, name, &tenant);
    if (status == CTL_DONE && uuid_parse(&asked->tenant, slice_str(tenant.id)) < 0)
        return ctl_fail(CTL_FAILED, "'%s' is no tenant id", tenant.id);
    filter->tenant = &asked->tenant;
    return status;
}

/* The index, as new as the log. */
static int open_letters(struct ctl *ctl, struct letters **letters)
{
    struct err err;
    if (!ctl->place.database_url)
        return ctl_fail(CTL_USAGE, "where is Postgres? DATABASE_URL is not set and there is no "
                                   "run/env");
    int status = ctl_bus(ctl, -1);
    if (status != CTL_DONE)
        return status;
    *letters = letters_create(ctl->place.database_url, "journeyctl", ctl->bus);
    if (!*letters)
        return ctl_fail(CTL_FAILED, "no memory");
    int r = letters_refresh(*letters, REFRESH_MS, &err);
    if (r < 0)
        return ctl_fail_err("dead letters", &err);
    return r ? CTL_DONE
             : ctl_fail(CTL_UNAVAILABLE, "the dead letters fell silent before their end: what is "
                                         "known is not all of them; try again");
}

/* Each letter that fits, by pages; each() says a status. */
static int for_pages(struct ctl *ctl, struct letters *letters, const struct letters_filter *filter,
                     int64_t limit, int (*each)(void *user, const struct letter *list, unsigned n),
                     void *user)
{
    struct err err;
    struct letters_page page = {.more = true};
    struct letter last;
    struct arena *arena = arena_create((size_t)64 << 20);
    int status = arena ? CTL_DONE : ctl_fail(CTL_FAILED, "no memory");
    for (int64_t shown = 0; status == CTL_DONE && page.more && (!limit || shown < limit);) {
        int64_t n = limit ? min_i64(PAGE, limit - shown) : PAGE;
        arena_reset(arena);
        if (letters_list(letters, filter, shown ? &last : NULL, (unsigned)n, &page, arena, &err) <
            0)
            status = ctl_fail_err("dead letters", &err);
        else if (page.n)
            status = each(user, page.list, page.n);
        if (!page.n)
            break;
        last = page.list[page.n - 1];
        shown += page.n;
    }
    arena_destroy(&arena);
    return status;
}

/* ---- dlq list ---- */

struct listing {
    bool json;
    int64_t shown;
};

static void print_json(const struct letter *letter)
{
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    json_begin_object(&w);
    letter_write(&w, letter);
    json_end_object(&w);
    printf("%s\n", (const char *)out.data);
}

#define TEXT(s) (int)(s).size, (s).data ? (const char *)(s).data : ""

static void print_line(const struct letter *letter)
{
    char time[TIME_TEXT_SIZE];
    time_format(time, letter->time_us);
    printf("%s %d/%lld  %s  %-9s  %.*s: %.*s  (%.*s)\n", topic_info(letter->topic)->name,
           letter->partition, (long long)letter->offset, time, letter_state_name(letter->state),
           TEXT(letter->code), TEXT(letter->reason), TEXT(letter->message_id));
}

static int list_page(void *user, const struct letter *list, unsigned n)
{
    struct listing *listing = user;
    for (unsigned i = 0; i < n; i++)
        (listing->json ? print_json : print_line)(&list[i]);
    listing->shown += n;
    return CTL_DONE;
}

int command_dlq_list(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct asked asked;
    struct letters *letters = NULL;
    struct listing listing = {.json = args_has(args, "json")};
    int64_t limit;
    const char *state = args_get(args, "state");
    if (args_int(args, "limit", 0, 1, INT64_MAX, &limit, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    int status = asked_init(ctl, args, &asked);
    asked.filter.state = state ? letter_state_find(slice_str(state)) : -1;
    if (state && asked.filter.state < 0)
        return ctl_fail(CTL_USAGE, "a state is open, replaying, replayed or dropped");
    if (status == CTL_DONE)
        status = open_letters(ctl, &letters);
    if (status == CTL_DONE)
        status = for_pages(ctl, letters, &asked.filter, limit, list_page, &listing);
    if (status == CTL_DONE && listing.shown == 0)
        (void)fprintf(stderr, "no dead letters\n");
    letters_destroy(&letters);
    return status;
}

/* ---- dlq show ---- */

struct showing {
    struct ctl *ctl;
    const struct letter *letter;
    bool found;
    int status;
};

/* What the gateway could not read is sealed under a key per tenant and day; empty: it is not, or cannot be opened. */
static struct slice open_record(struct showing *showing, const struct bus_record *record)
{
    struct ctl *ctl = showing->ctl;
    struct slice day = letter_sealed(record), none = {NULL, 0};
    struct tenant tenant = {.uuid = showing->letter->tenant};
    uint8_t subject[16], key[PRIVACY_KEY_SIZE];
    char id[UUID_TEXT_SIZE];
    int64_t day_us;
    if (day.size < 4 || time_parse(&day_us, NULL, slice_make(day.data + 4, day.size - 4)) < 0 ||
        record->value.size < PRIVACY_SEAL_OVERHEAD)
        return none;
    uuid_format(id, tenant.uuid.bytes);
    tenant.id = id;
    privacy_day(subject, day_us);
    showing->status = subject_key(ctl, &tenant, subject, key);
    if (showing->status == CTL_DONE)
        showing->status = audit(ctl, id, "sealed.open", arena_str(ctl->arena, day), NULL, NULL);
    size_t size = record->value.size - PRIVACY_SEAL_OVERHEAD;
    uint8_t *plain = showing->status == CTL_DONE ? arena_alloc(ctl->arena, size + 1) : NULL;
    bool opened =
        plain && privacy_unseal(plain, key, tenant.uuid.bytes, subject, record->value) >= 0;
    privacy_wipe(key, sizeof(key));
    return opened ? slice_make(plain, size) : none;
}

static void show_record(void *user, unsigned i, const struct bus_record *record)
{
    struct showing *showing = user;
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    json_begin_object(&w);
    letter_write(&w, showing->letter);
    letter_write_content(&w, record, open_record(showing, record), showing->ctl->arena);
    json_end_object(&w);
    printf("%s\n", (const char *)out.data);
    showing->found = true;
}

int command_dlq_show(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct letter letter;
    struct letters *letters = NULL;
    struct showing showing = {.ctl = ctl, .status = CTL_DONE};
    if (letter_id_parse(&letter, slice_str(args->positional[0])) < 0)
        return ctl_fail(CTL_USAGE,
                        "'%s' is no dead letter's id\n  which there are: journeyctl dlq "
                        "list --json",
                        args->positional[0]);
    const struct letters_filter filter = {
        .topic = letter.topic, .state = -1, .partition = letter.partition, .offset = letter.offset};
    struct letters_page page = {.n = 0};
    int status = open_letters(ctl, &letters);
    if (status == CTL_DONE && letters_list(letters, &filter, NULL, 1, &page, ctl->arena, &err) < 0)
        status = ctl_fail_err("dead letters", &err);
    showing.letter = page.list;
    if (status == CTL_DONE && page.n &&
        letters_read(letters, page.list, 1, READ_MS, show_record, &showing, &err) < 0)
        status = ctl_fail_err("dead letters", &err);
    if (status == CTL_DONE && !showing.found)
        status =
            ctl_fail(CTL_FAILED, "there is no such dead letter, or the log keeps it no longer");
    if (status == CTL_DONE)
        status = showing.status; /* shown, but its content stays closed */
    letters_destroy(&letters);
    return status;
}

/* ---- dlq replay, dlq drop ---- */

struct acting {
    struct ctl *ctl;
    struct letters *letters;
    struct arena *arena; /* of one letter */
    const struct letter *list;
    bool again, drop;
    int status;
    int64_t done, refused, empty, raw;
};

static void note(struct acting *a, const struct letter *letter, enum letter_state state, bool again,
                 bool *noted)
{
    struct err err;
    const struct letters_actor actor = {ctl_actor(), NULL};
    if (letters_note(a->letters, letter, 1, state, again, &actor, noted, &err) < 0)
        a->status = ctl_fail_err("dead letters", &err);
}

static void send_back(void *user, unsigned i, const struct bus_record *record)
{
    struct acting *a = user;
    const struct letter *letter = &a->list[i];
    struct bus_header headers[BUS_MAX_HEADERS];
    struct bus_message message;
    bool noted = false;
    if (a->status != CTL_DONE)
        return;
    if (!record->value.data) {
        a->empty++; /* it was too large to be kept whole */
        return;
    }
    note(a, letter, LETTER_REPLAYING, a->again, &noted);
    a->refused += a->status == CTL_DONE && !noted;
    if (!noted)
        return;
    letter_send_back(&message, headers, record, clock_system()->now_us(clock_system()), a->arena);
    a->status = publish_message(a->ctl, &message);
    if (a->status == CTL_DONE)
        note(a, letter, LETTER_REPLAYED, true, &noted);
    a->done += a->status == CTL_DONE;
    arena_reset(a->arena);
}

static int act_on_one(struct acting *a, const struct letter *letter)
{
    struct err err;
    bool noted = false;
    if (letter->state != LETTER_OPEN && !a->again) {
        a->refused++;
    } else if (a->drop) {
        note(a, letter, LETTER_DROPPED, a->again, &noted);
        a->done += noted;
    } else if (letter_is_raw(letter)) {
        a->raw++; /* no topic takes it as it is */
    } else {
        a->list = letter;
        if (letters_read(a->letters, letter, 1, READ_MS, send_back, a, &err) < 0)
            a->status = ctl_fail_err("dead letters", &err);
    }
    return a->status;
}

static int act_on_page(void *user, const struct letter *list, unsigned n)
{
    struct acting *a = user;
    int status = CTL_DONE;
    for (unsigned i = 0; i < n && status == CTL_DONE; i++)
        status = act_on_one(a, &list[i]);
    return status;
}

static int report(const struct acting *a)
{
    const char *verb = a->drop ? "dropped" : "sent back";
    printf("%s %lld\n", verb, (long long)a->done);
    if (a->empty > 0)
        (void)fprintf(stderr, "%lld could not be kept whole and cannot be sent back\n",
                      (long long)a->empty);
    if (a->raw > 0)
        (void)fprintf(
            stderr,
            "%lld are no events yet, but what a client sent: the gateway maps them again\n"
            "  (POST /api/v1/dead-letters/<id>/replay, with a secret key)\n",
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
    struct asked asked;
    struct acting a = {.ctl = ctl, .again = args_has(args, "again"), .drop = drop};
    int status = asked_init(ctl, args, &asked);
    asked.filter.oldest_first = true;
    /* the producer is made with its topic, before the reader needs the same bus */
    if (status == CTL_DONE)
        status = ctl_bus(ctl, asked.filter.topic & ~TOPIC_DLQ);
    if (status == CTL_DONE)
        status = open_letters(ctl, &a.letters);
    a.arena = arena_create((size_t)1 << 20);
    if (status == CTL_DONE && a.arena)
        status = for_pages(ctl, a.letters, &asked.filter, 0, act_on_page, &a);
    letters_destroy(&a.letters);
    arena_destroy(&a.arena);
    int reported = status == CTL_USAGE ? status : report(&a);
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
