#pragma once
/*
 * Bodies as tables: a row names a member by its path, its type and range, and whether it must be there. A check walks
 * the rows and collects every fault; members that no row names are ignored, null is the same as absent.
 *
 * Rows of one object follow the row of the object itself: {"persona", GW_OBJECT}, {"persona.type", GW_STRING, ...}.
 */
#include "fault.h"
#include "json.h"

enum gw_type {
    GW_STRING, /* min..max characters, no NUL; values: the words allowed, "a|b|c" */
    GW_TIME,   /* ISO 8601 */
    GW_NUMBER, /* min..max */
    GW_INT,    /* min..max, whole */
    GW_BOOL,
    GW_OBJECT,
    GW_SIGNALS,        /* an object of numbers and booleans */
    GW_NAME_OR_OBJECT, /* a string of min..max characters, or an object whose "id" is one */
    GW_MONEY,          /* a number or decimal text, 0 .. 99,999,999.99 */
    GW_CURRENCY,       /* three letters */
    GW_JSON,           /* anything */
};

enum gw_field_flag {
    GW_REQUIRED = 1,
    GW_COLUMN = 2, /* goes on as a column: gw_columns_write() */
};

struct gw_field {
    const char *path;
    enum gw_type type;
    unsigned flags;
    double min, max;
    const char *values;
};

struct gw_schema {
    const struct gw_field *fields;
    unsigned n;
};

void gw_schema_check(const struct gw_schema *schema, const struct json_node *body,
                     struct gw_faults *faults, struct arena *arena);

/* A JSON object of the GW_COLUMN members that are there; money as decimal text, of objects a "fingerprint" left out. */
void gw_columns_write(const struct gw_schema *schema, const struct json_node *body, struct buf *out,
                      struct arena *arena);

/* Two decimals, rounded half away from zero: "19.99". ERR_INVALID when it is no amount of 0 .. 99,999,999.99. */
#define GW_MONEY_SIZE 24
int gw_money(char out[GW_MONEY_SIZE], const struct json_node *node, struct arena *arena) MUST_CHECK;

/* The object as it is, without one member; raw bytes where it has none. Empty when node is no object. */
struct slice gw_object_without(const struct json_node *node, const char *member,
                               struct arena *arena);

/* Decoded text as a C string: NULs become U+FFFD. NULL when node is no string. */
const char *gw_text(const struct json_node *node, struct arena *arena);
/* The same of text that is decoded already. */
const char *gw_text_of(struct slice text, struct arena *arena);
/* The time of a member that was checked, else `otherwise`. */
int64_t gw_time(const struct json_node *node, int64_t otherwise, struct arena *arena);
size_t gw_characters(struct slice text); /* of UTF-8 */
