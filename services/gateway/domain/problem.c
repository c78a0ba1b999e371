#include "problem.h"

static const struct gw_problem_info problems[] = {
#define ROW(id, code, status, title, retry) [GW_PROBLEM_##id] = {code, status, title, retry},
    GW_PROBLEM_TABLE(ROW)
#undef ROW
};

const struct gw_problem_info *gw_problem_info(enum gw_problem problem)
{
    assert((unsigned)problem < GW_PROBLEM_COUNT);
    return &problems[problem];
}

enum gw_problem gw_problem_find(const char *code)
{
    for (unsigned i = 0; i < GW_PROBLEM_COUNT; i++)
        if (code && strcmp(problems[i].code, code) == 0)
            return (enum gw_problem)i;
    return GW_PROBLEM_INTERNAL;
}

static void member(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_write_str(w, text ? text : "");
}

/* Without words of its own it says what the first fault does, for those who show the detail alone. */
static void detail_write(struct json_writer *w, const char *title, const char *detail,
                         const struct gw_faults *faults)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    const struct gw_fault *first = faults && faults->n ? &faults->list[0] : NULL;
    if (detail && *detail)
        buf_append_str(&text, detail);
    else if (first)
        buf_printf(&text, "%s%s%s", first->field, *first->field ? ": " : "", first->message);
    else
        buf_append_str(&text, title);
    json_key(w, "detail");
    json_write_slice(w, buf_slice(&text));
}

void gw_problem_write(struct buf *out, enum gw_problem problem, const char *detail,
                      const struct gw_faults *faults)
{
    const struct gw_problem_info *info = gw_problem_info(problem);
    struct json_writer w = json_writer_make(out);
    json_begin_object(&w);
    json_key(&w, "type");
    _cleanup_(buf_deinit) struct buf type = {0};
    buf_printf(&type, "urn:journey:problem:%s", info->code);
    json_write_slice(&w, buf_slice(&type));
    member(&w, "title", info->title);
    json_key(&w, "status");
    json_write_int(&w, info->status);
    detail_write(&w, info->title, detail, faults);
    member(&w, "code", info->code);
    json_key(&w, "errors");
    json_begin_array(&w);
    for (unsigned i = 0; faults && i < faults->n; i++) {
        json_begin_object(&w);
        member(&w, "field", faults->list[i].field);
        member(&w, "code", faults->list[i].code);
        member(&w, "message", faults->list[i].message);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
}
