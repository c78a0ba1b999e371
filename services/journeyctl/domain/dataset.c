#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>

const struct dataset_form *const dataset_forms[] = {&dataset_retentioneering,
                                                    &dataset_completejourney};
const unsigned dataset_forms_count = ARRAY_SIZE(dataset_forms);

const struct dataset_form *dataset_form_find(const char *name)
{
    for (unsigned i = 0; i < dataset_forms_count; i++)
        if (strcmp(dataset_forms[i]->name, name) == 0)
            return dataset_forms[i];
    return NULL;
}

const struct dataset_form *dataset_form_of_file(const char *name, unsigned *file)
{
    for (unsigned i = 0; i < dataset_forms_count; i++)
        for (unsigned k = 0; k < DATASET_MAX_FILES && dataset_forms[i]->files[k].name; k++) {
            const char *known = dataset_forms[i]->files[k].name;
            size_t size = strlen(known);
            if (strncmp(name, known, size) == 0 &&
                (name[size] == '\0' || strcmp(name + size, ".gz") == 0)) {
                *file = k;
                return dataset_forms[i];
            }
        }
    return NULL;
}

int dataset_add(struct dataset *dataset, struct dataset_event event, struct err *err)
{
    if (dataset->n_events == dataset->capacity) {
        size_t capacity = dataset->capacity ? 2 * dataset->capacity : 4096;
        struct dataset_event *events =
            reallocarray(dataset->events, capacity, sizeof(*dataset->events));
        if (!events)
            return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for %zu events",
                           capacity);
        dataset->events = events;
        dataset->capacity = capacity;
    }
    dataset->events[dataset->n_events++] = event;
    return 0;
}

/* As they were added where the times are equal: the files' own order, kind by kind. */
static int event_compare(const void *a, const void *b)
{
    const struct dataset_event *x = a, *y = b;
    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

int dataset_build(struct dataset *dataset, struct err *err)
{
    int status = dataset->form->build(dataset, err);
    if (status < 0)
        return status;
    if (dataset->n_events > 0)
        qsort(dataset->events, dataset->n_events, sizeof(*dataset->events), event_compare);
    return 0;
}

void dataset_deinit(struct dataset *dataset)
{
    if (dataset->form && dataset->form->deinit)
        dataset->form->deinit(dataset);
    for (unsigned i = 0; i < DATASET_MAX_FILES; i++)
        csv_table_deinit(&dataset->tables[i]);
    free(dataset->events);
    *dataset = (struct dataset){0};
}

int dataset_columns(const struct dataset *dataset, unsigned file, const char *const *names,
                    unsigned n, unsigned *columns, struct err *err)
{
    for (unsigned i = 0; i < n; i++) {
        int column = csv_column(&dataset->tables[file], names[i]);
        if (column < 0)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s has no column %s",
                           dataset->form->files[file].name, names[i]);
        columns[i] = (unsigned)column;
    }
    return 0;
}

int dataset_time(const struct dataset *dataset, unsigned file, size_t row, unsigned column,
                 int64_t *time_us, struct err *err)
{
    struct slice cell = csv_cell(&dataset->tables[file], row, column);
    if (time_parse(time_us, NULL, cell) < 0)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s, row %zu: '%.*s' is no time",
                       dataset->form->files[file].name, row + 1,
                       (int)min_i64((int64_t)cell.size, 40),
                       cell.data ? (const char *)cell.data : "");
    return 0;
}

void dataset_write_head(const struct dataset_event *event, const char *prefix, struct slice name,
                        int64_t shift_us, struct json_writer *w)
{
    char id[64];
    (void)snprintf(id, sizeof(id), "%s-%u", prefix, event->row + 1);
    json_key(w, "type");
    json_write_str(w, "track");
    json_key(w, "messageId");
    json_write_str(w, id);
    json_key(w, "anonymousId");
    json_write_slice(w, event->device);
    json_key(w, "event");
    json_write_slice(w, name);
    json_key(w, "timestamp");
    json_write_time(w, event->time_us + shift_us);
}

void dataset_write_cell(struct json_writer *w, const char *key, struct slice cell)
{
    if (!cell.data)
        return;
    json_key(w, key);
    json_write_slice(w, cell);
}
