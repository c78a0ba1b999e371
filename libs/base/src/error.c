/* Errors: codes, classes and their stable names. */
#include "base.h"
#include <stdio.h>

int err_set(struct err *err, enum status code, enum err_class class, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        err->class = class;
        if (vsnprintf(err->message, sizeof(err->message), format, args) < 0)
            err->message[0] = '\0';
        va_end(args);
    }
    return code;
}

const char *status_name(enum status code)
{
    switch (code) {
    case STATUS_OK:
        return "ok";
    case ERR_INVALID:
        return "invalid";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_TOO_LARGE:
        return "too_large";
    case ERR_NO_MEMORY:
        return "no_memory";
    case ERR_FULL:
        return "full";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case ERR_FENCED:
        return "fenced";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_EXPIRED:
        return "expired";
    case ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

const char *err_class_name(enum err_class class)
{
    switch (class) {
    case ERR_CLASS_TRANSIENT:
        return "transient";
    case ERR_CLASS_PERMANENT:
        return "permanent";
    case ERR_CLASS_FATAL:
        return "fatal";
    }
    return "unknown";
}
