/* SQLSTATE -> code and class. Messages go to operators: texts of the server, cut before any value they quote. */
#include "pg.h"
#include <stdio.h>

struct rule {
    const char *prefix; /* of the SQLSTATE */
    enum status code;
    enum err_class class;
};

static const struct rule rules[] = {
    {PG_SQLSTATE_FENCED, ERR_FENCED, ERR_CLASS_PERMANENT},
    {"08", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT}, /* connection */
    {"25006", ERR_UNAVAILABLE,
     ERR_CLASS_TRANSIENT},                        /* read only: a standby, before its promotion */
    {"40", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT}, /* rolled back: deadlock, serialization */
    {"53", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT}, /* out of something */
    {"55P03", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT}, /* lock not available */
    {"57014", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT}, /* cancelled: statement_timeout */
    {"57P", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT},   /* shutting down, starting */
    {"58", ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT},    /* its file system */
    {"23505", ERR_CONFLICT, ERR_CLASS_PERMANENT},    /* unique violation */
    {"22", ERR_INVALID, ERR_CLASS_PERMANENT},        /* a value that its type refuses */
    {"23", ERR_INVALID, ERR_CLASS_PERMANENT},        /* another constraint */
    {"54", ERR_TOO_LARGE, ERR_CLASS_PERMANENT},
    {"", ERR_INTERNAL, ERR_CLASS_PERMANENT},
};

void store_pg_text(char *out, size_t size, const char *message)
{
    size_t n = message ? strcspn(message, "\n") : 0;
    if (n >= size)
        n = size - 1;
    memcpy(out, message ? message : "", n);
    out[n] = '\0';
}

/* A table, column, function or schema that is not there. */
static const char *hint(const char *state)
{
    static const char *const missing[] = {"42P01", "42703", "42883", "3F000"};
    for (unsigned i = 0; i < ARRAY_SIZE(missing); i++)
        if (strcmp(state, missing[i]) == 0)
            return "; is migrations/<schema> as the code wants it, and applied?";
    return "";
}

int store_pg_error(struct err *err, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    char text[160];
    store_pg_text(text, sizeof(text), PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    char *value = strstr(text, ": "); /* `invalid input syntax for type numeric: "..."` */
    if (value)
        *value = '\0';
    if (!state) /* made by libpq: the connection broke */
        return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "store: connection lost");
    const struct rule *rule = rules;
    while (strncmp(state, rule->prefix, strlen(rule->prefix)) != 0)
        rule++;
    return err_set(err, rule->code, rule->class, "store: %s (%s%s)", text, state, hint(state));
}
