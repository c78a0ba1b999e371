#include "accepted.h"
#include "domain/mask.h"

#define CORRECTED_US MINUTE_US /* a clock that is wrong by less is none that anybody would mend */

static bool holds_mark(const char *text)
{
    static const char *const marks[] = {
#define MARK(id, mark) mark,
        GW_PERSONAL_TABLE(MARK)
#undef MARK
    };
    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return false;
}

static bool corrected(const Journey__V1__Accepted *a)
{
    int64_t by_us = a->event->timestamp_us ? a->time_us - a->event->timestamp_us : 0;
    return !a->time_clamped && (by_us > CORRECTED_US || by_us < -CORRECTED_US);
}

struct change {
    bool happened;
    const char *field, *code, *message;
};

/* false: nothing was changed. */
static bool write_changes(struct json_writer *w, const Journey__V1__Accepted *a)
{
    const Journey__V1__Event *e = a->event;
    const struct change changes[] = {
        {a->time_clamped, "timestamp", "time_clamped",
         "it lay in the future; the time of receipt stands instead"},
        {corrected(a), "timestamp", "time_corrected",
         "by the difference between the client's clock and ours"},
        {holds_mark(e->name), "name", "masked", "personal data was replaced by marks"},
        {holds_mark(e->properties), "properties", "masked", "personal data was replaced by marks"},
        {holds_mark(e->context), "context", "masked", "personal data was replaced by marks"},
        {e->sealed.len > 0, "", "sealed", "personal data was set apart and sealed"},
        {a->pseudonymous, "", "pseudonymous",
         "without consent to analytics it is kept under its session only, for 48 hours"},
    };
    bool any = false;
    json_key(w, "changes");
    json_begin_array(w);
    for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
        if (!changes[i].happened)
            continue;
        any = true;
        json_begin_object(w);
        json_key(w, "field");
        json_write_str(w, changes[i].field);
        json_key(w, "code");
        json_write_str(w, changes[i].code);
        json_key(w, "message");
        json_write_str(w, changes[i].message);
        json_end_object(w);
    }
    json_end_array(w);
    return any;
}

static const char *type_name(int type)
{
    static const char *const names[] = {"",         "track", "page", "screen",
                                        "identify", "group", "alias"};
    return type > 0 && type < (int)ARRAY_SIZE(names) ? names[type] : "unknown";
}

static void write_text(struct json_writer *w, const char *name, const char *text)
{
    json_key(w, name);
    json_write_str(w, *text ? text : NULL);
}

static void write_flag(struct json_writer *w, const char *name, bool value)
{
    json_key(w, name);
    json_write_bool(w, value);
}

enum accepted_status accepted_write(struct json_writer *w, const Journey__V1__Accepted *a)
{
    const Journey__V1__Event *e = a->event;
    json_begin_object(w);
    enum accepted_status status = write_changes(w, a) ? EVENT_CHANGED : EVENT_ACCEPTED;
    write_text(w, "status", status == EVENT_CHANGED ? "changed" : "accepted");
    write_text(w, "message_id", e->message_id);
    write_text(w, "type", type_name(e->type));
    write_text(w, "name", e->name);
    write_text(w, "session_id", a->session_id);
    json_key(w, "received_at");
    json_write_time(w, a->received_us);
    json_key(w, "time");
    json_write_time(w, a->time_us);
    json_key(w, "sent_time");
    json_write_time(w, e->timestamp_us ? e->timestamp_us : TIME_NONE);
    write_flag(w, "late", a->late);
    write_flag(w, "opens_session", a->opens);
    write_flag(w, "bot", a->enrichment && a->enrichment->bot);
    write_flag(w, "pseudonymous", a->pseudonymous);
    json_key(w, "consent");
    json_begin_array(w);
    for (size_t i = 0; a->consent && i < a->consent->n_granted; i++)
        json_write_str(w, a->consent->granted[i]);
    json_end_array(w);
    json_end_object(w);
    return status;
}
