#include "tables.h"

#define COLUMN_ROW(id, name, type, flags) {name, STORE_##type, flags},
static const struct store_column sessions_columns[] = {SESSIONS_COLUMNS(COLUMN_ROW)};
static const struct store_column touchpoints_columns[] = {TOUCHPOINTS_COLUMNS(COLUMN_ROW)};
static const struct store_column conversions_columns[] = {CONVERSIONS_COLUMNS(COLUMN_ROW)};
#undef COLUMN_ROW

const struct store_table sessions_table = {
    .name = "journey_sessions",
    .columns = sessions_columns,
    .n_columns = SESSIONS_N,
    .n_key = 2,
    .conflict = STORE_UPDATE,
};

/* Retention is per tenant, so months are dropped by the job that knows it, not here. */
const struct store_table touchpoints_table = {
    .name = "journey_touchpoints",
    .columns = touchpoints_columns,
    .n_columns = TOUCHPOINTS_N,
    .n_key = 3,
    .conflict = STORE_PLAIN,
    .roll = STORE_ROLL_MONTH,
    .roll_column = "received_at",
    .roll_unique = "tenant_id, session_id, touchpoint_sequence",
    .roll_ahead = 3,
    .roll_keep = 0,
};

const struct store_table pseudonymous_touchpoints_table = {
    .name = "journey_touchpoints_pseudonymous",
    .columns = touchpoints_columns,
    .n_columns = TOUCHPOINTS_N,
    .n_key = 3,
    .conflict = STORE_PLAIN,
    .roll = STORE_ROLL_DAY,
    .roll_column = "received_at",
    .roll_unique = "tenant_id, session_id, touchpoint_sequence",
    .roll_ahead = 2,
    .roll_keep = 1, /* a day, and one after its end: 48 hours after it began */
};

const struct store_table conversions_table = {
    .name = "conversion_events",
    .columns = conversions_columns,
    .n_columns = CONVERSIONS_N,
    .n_key = 2,
    .conflict = STORE_IGNORE, /* an order has one row, whoever writes it first */
};

const struct store_table *const journey_tables[3] = {
    &touchpoints_table, &pseudonymous_touchpoints_table, &conversions_table};

/* ---- look-ups ---- */

/* Each session carries on what its predecessor knew of the person's conversions, so a few suffice. */
#define PERSON_SESSIONS 4
static const uint8_t person_by[] = {SESSIONS_TENANT_ID, SESSIONS_USER_ID};
static const uint8_t person_columns[] = {SESSIONS_SESSION_ID, SESSIONS_STATE};
const struct store_lookup person_lookup = {
    .table = &sessions_table,
    .by = person_by,
    .n_by = ARRAY_SIZE(person_by),
    .columns = person_columns,
    .n_columns = ARRAY_SIZE(person_columns),
    .order = SESSIONS_START_TIMESTAMP,
    .descending = true,
    .limit = PERSON_SESSIONS,
};

#define ORDER_TYPES 8 /* one order may be a purchase, a subscription, ... */
static const uint8_t order_by[] = {CONVERSIONS_TENANT_ID, CONVERSIONS_ORDER_ID};
static const uint8_t order_columns[] = {CONVERSIONS_EVENT_TYPE, CONVERSIONS_REVENUE_ATTRIBUTED};
const struct store_lookup order_lookup = {
    .table = &conversions_table,
    .by = order_by,
    .n_by = ARRAY_SIZE(order_by),
    .columns = order_columns,
    .n_columns = ARRAY_SIZE(order_columns),
    .order = -1,
    .limit = ORDER_TYPES,
};

static const uint8_t page_by[] = {TOUCHPOINTS_TENANT_ID, TOUCHPOINTS_SESSION_ID};
#define COLUMN_INDEX(id, name, type, flags) id,
static const uint8_t page_columns[] = {TOUCHPOINTS_COLUMNS(COLUMN_INDEX)};
#undef COLUMN_INDEX
#define PAGE_OF(of)                                                                                \
    {                                                                                              \
        .table = &(of), .by = page_by, .n_by = ARRAY_SIZE(page_by), .columns = page_columns,       \
        .n_columns = ARRAY_SIZE(page_columns), .order = TOUCHPOINTS_SEQUENCE, .after = true,       \
        .until = true, .limit = 500,                                                               \
    }
const struct store_lookup page_lookup = PAGE_OF(touchpoints_table);
const struct store_lookup pseudonymous_page_lookup = PAGE_OF(pseudonymous_touchpoints_table);

/* ---- values ---- */

struct store_value value_null(void)
{
    return (struct store_value){.null = true};
}

struct store_value value_text(const char *text)
{
    if (!text || !text[0])
        return value_null();
    return (struct store_value){.s = slice_str(text)};
}

struct store_value value_int(int64_t number)
{
    return (struct store_value){.i = number};
}

struct store_value value_share(double share)
{
    return share < 0 ? value_null() : (struct store_value){.f = share};
}

struct store_value value_count(int64_t count)
{
    return count < 0 ? value_null() : value_int(count);
}

struct store_value value_bytes(const uint8_t *data, size_t size)
{
    return data ? (struct store_value){.s = slice_make(data, size)} : value_null();
}
