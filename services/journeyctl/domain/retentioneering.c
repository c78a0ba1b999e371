/* The clickstream of an e-commerce site: one file, an event a row, its user as the device. */
#include "dataset.h"

enum {
    USER,
    EVENT,
    TIMESTAMP,
    N_COLUMNS
};
static const char *const COLUMNS[] = {"user_id", "event", "timestamp"};
/* What else a row says, where the file has it; the recorded session is what sessionising is compared with. */
static const char *const PROPERTIES[] = {"session_id", "platform", "acquisition_channel",
                                         "user_cohort", "user_lifecycle"};

static int build(struct dataset *dataset, struct err *err)
{
    const struct csv_table *table = &dataset->tables[0];
    unsigned columns[N_COLUMNS];
    int status = dataset_columns(dataset, 0, COLUMNS, N_COLUMNS, columns, err);
    for (size_t row = 0; status >= 0 && row < table->n_rows; row++) {
        struct dataset_event event = {.row = (uint32_t)row,
                                      .device = csv_cell(table, row, columns[USER])};
        status = dataset_time(dataset, 0, row, columns[TIMESTAMP], &event.time_us, err);
        if (status >= 0)
            status = dataset_add(dataset, event, err);
    }
    return status;
}

static void write(const struct dataset *dataset, const struct dataset_event *event,
                  int64_t shift_us, struct json_writer *w)
{
    const struct csv_table *table = &dataset->tables[0];
    int name = csv_column(table, COLUMNS[EVENT]);
    dataset_write_head(event, "retentioneering", csv_cell(table, event->row, (unsigned)name),
                       shift_us, w);
    json_key(w, "properties");
    json_begin_object(w);
    for (unsigned i = 0; i < ARRAY_SIZE(PROPERTIES); i++) {
        int column = csv_column(table, PROPERTIES[i]);
        if (column >= 0)
            dataset_write_cell(w, i == 0 ? "recorded_session" : PROPERTIES[i],
                               csv_cell(table, event->row, (unsigned)column));
    }
    json_end_object(w);
}

const struct dataset_form dataset_retentioneering = {
    .name = "retentioneering",
    .describes = "ecom.csv: an event a row (user_id, event, timestamp)",
    .files = {{"ecom.csv", true}},
    .build = build,
    .write = write,
};
