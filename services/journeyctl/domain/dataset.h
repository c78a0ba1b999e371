#pragma once
/*
 * dataset: files of a known form as events, each in the Segment form.
 *
 *   csv tables ──build──► events in time order (time, device, which row) ──write──► one track call as JSON
 *
 * The message id holds the kind of row and its number, so the same file sent again is the same events.
 */
#include "base.h"
#include "csv.h"
#include "json.h"

#define DATASET_MAX_FILES 6

struct dataset_event {
    int64_t time_us;
    uint32_t row;  /* of the file that the event's kind comes from, from 0 */
    uint32_t kind; /* the form's own */
    struct slice device;
};

struct dataset;
struct dataset_file {
    const char *name; /* without .gz */
    bool required;
};
struct dataset_form {
    const char *name;
    const char *describes; /* for the help */
    struct dataset_file files[DATASET_MAX_FILES];
    int (*build)(struct dataset *dataset, struct err *err);
    /* The members of one event; their times are moved by shift_us. */
    void (*write)(const struct dataset *dataset, const struct dataset_event *event,
                  int64_t shift_us, struct json_writer *w);
    void (*deinit)(struct dataset *dataset); /* frees `joined`; may be NULL */
};

struct dataset {
    const struct dataset_form *form;
    struct csv_table tables[DATASET_MAX_FILES]; /* by the form's files; n_columns 0: not there */
    struct dataset_event *events;               /* ascending time, as in the files where equal */
    size_t n_events, capacity;
    void *joined; /* the form's look-ups */
};

extern const struct dataset_form *const dataset_forms[];
extern const unsigned dataset_forms_count;

const struct dataset_form *dataset_form_find(const char *name); /* NULL: unknown */
/* The form that has this file ("ecom.csv", also with .gz); NULL: none. */
const struct dataset_form *dataset_form_of_file(const char *name, unsigned *file);

/* tables and form are filled in; makes the events. */
int dataset_build(struct dataset *dataset, struct err *err) MUST_CHECK;
void dataset_deinit(struct dataset *dataset); /* the tables too */

/* ---- for the forms ---- */

int dataset_add(struct dataset *dataset, struct dataset_event event, struct err *err) MUST_CHECK;
/* Fills columns by name; ERR_INVALID names the one that is missing. */
int dataset_columns(const struct dataset *dataset, unsigned file, const char *const *names,
                    unsigned n, unsigned *columns, struct err *err) MUST_CHECK;
/* The time in a cell; an error names file and row. */
int dataset_time(const struct dataset *dataset, unsigned file, size_t row, unsigned column,
                 int64_t *time_us, struct err *err) MUST_CHECK;
/* type, messageId "<prefix>-<row from 1>", anonymousId, event, timestamp */
void dataset_write_head(const struct dataset_event *event, const char *prefix, struct slice name,
                        int64_t shift_us, struct json_writer *w);
/* key and text; nothing when the cell is missing */
void dataset_write_cell(struct json_writer *w, const char *key, struct slice cell);

extern const struct dataset_form dataset_retentioneering, dataset_completejourney;
