/*
 * Values on the wire, binary in both directions. Rows go out as one array per column:
 *
 *   int32 dimensions = 1 | int32 has nulls | int32 element type | int32 n | int32 lower bound = 1
 *   then per element: int32 size (-1: NULL) | bytes
 *
 * All integers are big-endian; times count from 2000-01-01. jsonb and numeric travel as text, and the SQL casts them.
 */
#include "pg.h"
#include <arpa/inet.h>
#include <endian.h>

#define EPOCH_DAYS   10957 /* 1970-01-01 .. 2000-01-01 */
#define EPOCH_US     (EPOCH_DAYS * DAY_US)
#define PARAMS_LIMIT ((size_t)512 << 20) /* half of what a message to Postgres may have */
#define PARAMS_KEEP  ((size_t)4 << 20)

static uint32_t element_type(enum store_type type) /* pg_type.h: they never change */
{
    switch (type) {
    case STORE_INT:
        return 23;
    case STORE_BIGINT:
        return 20;
    case STORE_FLOAT:
        return 701;
    case STORE_BOOL:
        return 16;
    case STORE_BYTES:
        return 17;
    case STORE_TIME:
        return 1184;
    case STORE_UUID:
        return 2950;
    case STORE_DATE:
        return 1082;
    case STORE_TEXT:
    case STORE_JSON:
    case STORE_DECIMAL:
        break;
    }
    return 25;
}

static void put32(struct buf *buf, uint32_t value)
{
    value = htonl(value);
    buf_append(buf, &value, sizeof(value));
}

static void put64(struct buf *buf, uint64_t value)
{
    value = htobe64(value);
    buf_append(buf, &value, sizeof(value));
}

/* The ends of int64 are the infinities on both sides. */
static int64_t time_to_pg(int64_t us)
{
    return us == INT64_MIN || us == INT64_MAX || us < INT64_MIN + EPOCH_US + 1 ? us : us - EPOCH_US;
}

static int64_t time_from_pg(int64_t us)
{
    return us == INT64_MIN || us > INT64_MAX - EPOCH_US - 1 ? us : us + EPOCH_US;
}

static void put_value(struct buf *buf, enum store_type type, const struct store_value *value)
{
    uint64_t bits;
    if (value->null) {
        put32(buf, UINT32_MAX);
        return;
    }
    switch (type) {
    case STORE_INT:
        put32(buf, 4);
        put32(buf, (uint32_t)value->i);
        return;
    case STORE_DATE:
        put32(buf, 4);
        put32(buf, (uint32_t)(value->i - EPOCH_DAYS));
        return;
    case STORE_BIGINT:
        put32(buf, 8);
        put64(buf, (uint64_t)value->i);
        return;
    case STORE_TIME:
        put32(buf, 8);
        put64(buf, (uint64_t)time_to_pg(value->i));
        return;
    case STORE_FLOAT:
        memcpy(&bits, &value->f, sizeof(bits));
        put32(buf, 8);
        put64(buf, bits);
        return;
    case STORE_BOOL:
        put32(buf, 1);
        buf_append_byte(buf, value->i != 0);
        return;
    case STORE_TEXT:
    case STORE_BYTES:
    case STORE_UUID:
    case STORE_JSON:
    case STORE_DECIMAL:
        put32(buf, (uint32_t)value->s.size);
        buf_append_slice(buf, value->s);
        return;
    }
}

void store_pg_params_reset(struct pg_params *params)
{
    if (params->data.capacity > PARAMS_KEEP)
        buf_deinit(&params->data);
    buf_reset(&params->data);
    params->data.limit = PARAMS_LIMIT;
    params->n = 0;
}

static void param_end(struct pg_params *params, size_t start)
{
    params->offsets[params->n] = start;
    params->sizes[params->n++] = (int)(params->data.size - start);
}

void store_pg_params_int(struct pg_params *params, int32_t value)
{
    size_t start = params->data.size;
    put32(&params->data, (uint32_t)value);
    param_end(params, start);
}

void store_pg_params_array(struct pg_params *params, enum store_type type,
                           const struct store_value *const *rows, unsigned n, unsigned column)
{
    struct buf *buf = &params->data;
    size_t start = buf->size;
    bool nulls = false;
    for (unsigned r = 0; r < n && !nulls; r++)
        nulls = rows[r][column].null;
    put32(buf, 1);
    put32(buf, nulls);
    put32(buf, element_type(type));
    put32(buf, n);
    put32(buf, 1);
    for (unsigned r = 0; r < n; r++)
        put_value(buf, type, &rows[r][column]);
    param_end(params, start);
}

int store_pg_params_send(const struct pg_params *params, PGconn *conn, const char *statement)
{
    const char *values[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];
    for (int p = 0; p < params->n; p++) {
        values[p] = (const char *)params->data.data + params->offsets[p];
        formats[p] = 1;
    }
    return PQsendQueryPrepared(conn, statement, params->n, values, params->sizes, formats, 1) == 1
               ? 0
               : ERR_UNAVAILABLE;
}

/* ---- results ---- */

static uint64_t take_number(const uint8_t *data, int size)
{
    uint64_t value = 0;
    for (int b = 0; b < size; b++)
        value = value << 8 | data[b];
    return value;
}

static int wire_size(enum store_type type)
{
    switch (type) {
    case STORE_INT:
    case STORE_DATE:
        return 4;
    case STORE_BIGINT:
    case STORE_FLOAT:
    case STORE_TIME:
        return 8;
    case STORE_BOOL:
        return 1;
    case STORE_UUID:
        return 16;
    case STORE_TEXT:
    case STORE_BYTES:
    case STORE_JSON:
    case STORE_DECIMAL:
        break;
    }
    return -1;
}

int store_pg_decode(const PGresult *result, int row, int column, enum store_type type,
                    struct arena *arena, struct store_value *value, struct err *err)
{
    *value = (struct store_value){0};
    if (PQgetisnull(result, row, column)) {
        value->null = true;
        return 0;
    }
    const uint8_t *data = (const uint8_t *)PQgetvalue(result, row, column);
    int size = PQgetlength(result, row, column), expected = wire_size(type);
    if (expected >= 0 && size != expected)
        return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL,
                       "store: column %s is not of the type it was declared with",
                       PQfname(result, column));
    if (store_type_is_slice(type)) {
        value->s = arena_slice(arena, slice_make(data, (size_t)size));
        return 0;
    }
    uint64_t number = take_number(data, size);
    if (type == STORE_FLOAT)
        memcpy(&value->f, &number, sizeof(value->f));
    else if (type == STORE_INT)
        value->i = (int32_t)number;
    else if (type == STORE_DATE)
        value->i = (int32_t)number + EPOCH_DAYS;
    else if (type == STORE_TIME)
        value->i = time_from_pg((int64_t)number);
    else
        value->i = (int64_t)number;
    return 0;
}
