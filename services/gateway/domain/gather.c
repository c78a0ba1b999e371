#include "gather.h"

void gw_gather_init(struct gw_gather *gather, const struct gw_answer *answer, int64_t deadline_us)
{
    assert(answer->n_parts <= GW_MAX_PARTS);
    *gather = (struct gw_gather){.answer = answer, .deadline_us = deadline_us};
}

bool gw_gather_part(struct gw_gather *gather, const char *name, struct slice json)
{
    for (unsigned i = 0; i < gather->answer->n_parts; i++) {
        if (strcmp(gather->answer->parts[i].name, name) == 0) {
            gather->parts[i].here = true;
            gather->parts[i].json = json;
            return true;
        }
    }
    return false;
}

bool gw_gather_service_done(struct gw_gather *gather, const char *service)
{
    bool complete = true;
    for (unsigned i = 0; i < gather->answer->n_parts; i++) {
        const struct gw_part_spec *spec = &gather->answer->parts[i];
        if (strcmp(spec->service, service) != 0 || gather->parts[i].here)
            continue;
        gather->parts[i].missed = spec->optional;
        complete = complete && spec->optional;
    }
    return complete;
}

bool gw_gather_refused(struct gw_gather *gather, const char *service)
{
    bool essential = false, any = false;
    for (unsigned i = 0; i < gather->answer->n_parts; i++) {
        const struct gw_part_spec *spec = &gather->answer->parts[i];
        if (strcmp(spec->service, service) != 0)
            continue;
        any = true;
        essential = essential || !spec->optional;
        if (!gather->parts[i].here)
            gather->parts[i].missed = true;
    }
    return essential || !any; /* a service on the way that owns no part refuses for all */
}

enum gw_gather_state gw_gather_state(const struct gw_gather *gather, int64_t elapsed_us)
{
    bool waiting = false;
    for (unsigned i = 0; i < gather->answer->n_parts; i++) {
        const struct gw_part_spec *spec = &gather->answer->parts[i];
        if (gather->parts[i].here || gather->parts[i].missed)
            continue;
        if (!spec->optional && elapsed_us >= gather->deadline_us)
            return GW_GATHER_LATE;
        if (!spec->optional || elapsed_us < spec->deadline_ms * INT64_C(1000))
            waiting = true;
    }
    return waiting ? GW_GATHER_WAIT : GW_GATHER_READY;
}

int64_t gw_gather_next_us(const struct gw_gather *gather, int64_t elapsed_us)
{
    int64_t next = gather->deadline_us;
    for (unsigned i = 0; i < gather->answer->n_parts; i++) {
        int64_t at = gather->answer->parts[i].deadline_ms * INT64_C(1000);
        if (gather->answer->parts[i].optional && !gather->parts[i].here && at > elapsed_us)
            next = min_i64(next, at);
    }
    return next;
}

static int part_index(const struct gw_answer *answer, const char *name)
{
    for (unsigned i = 0; i < answer->n_parts; i++)
        if (strcmp(answer->parts[i].name, name) == 0)
            return (int)i;
    assert(!"the route names a part that it has not");
    return 0;
}

static void write_member(const struct gw_gather *gather, const struct gw_member *member,
                         struct slice subject, struct json_writer *w)
{
    int part = member->source == GW_FROM_PART ? part_index(gather->answer, member->value) : -1;
    if (part >= 0 && !gather->parts[part].here)
        return;
    if (member->name)
        json_key(w, member->name);
    if (part >= 0)
        json_write_raw(w, gather->parts[part].json);
    else if (member->source == GW_FROM_SUBJECT)
        json_write_slice(w, subject);
    else
        json_write_raw(w, slice_str(member->value));
}

unsigned gw_gather_write(const struct gw_gather *gather, struct slice subject, struct buf *out)
{
    const struct gw_answer *answer = gather->answer;
    struct json_writer w = json_writer_make(out);
    unsigned missing = 0;
    if (answer->n_members == 1 && !answer->members[0].name) {
        write_member(gather, &answer->members[0], subject, &w);
        return 0;
    }
    json_begin_object(&w);
    for (unsigned i = 0; i < answer->n_members; i++)
        write_member(gather, &answer->members[i], subject, &w);
    for (unsigned i = 0; i < answer->n_parts; i++) {
        if (!answer->parts[i].optional || gather->parts[i].here)
            continue;
        if (missing++ == 0) {
            json_key(&w, "degraded");
            json_begin_array(&w);
        }
        json_write_str(&w, answer->parts[i].name);
    }
    if (missing)
        json_end_array(&w);
    json_end_object(&w);
    return missing;
}
