/* Options from the environment, by a module's table; printing them with secrets hidden. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>

static const char **string_at(void *config, const struct config_option *option)
{
    return (const char **)(void *)((char *)config + option->offset);
}

static int64_t *int_at(void *config, const struct config_option *option)
{
    return (int64_t *)(void *)((char *)config + option->offset);
}

/* The value's text is left out of messages: it may be a secret put into the wrong variable. */
static int option_fault(struct err *err, const struct config_option *option, const char *fault)
{
    const char *what = option->type == CONFIG_INT ? "a whole number" : "a text of length";
    return err_set(err, ERR_INVALID, ERR_CLASS_FATAL,
                   "config: %s %s; it takes %s from %lld to %lld", option->env, fault, what,
                   (long long)option->min, (long long)option->max);
}

static int option_check_int(const struct config_option *option, const char *text, int64_t *value,
                            struct err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool digits =
        (text[0] >= '0' && text[0] <= '9') || text[0] == '-'; /* strtoll takes spaces and + */
    if (!digits || end == text || *end != '\0')
        return option_fault(err, option, "is not a whole number");
    if (errno == ERANGE || number < option->min || number > option->max)
        return option_fault(err, option, "is out of range");
    *value = number;
    return STATUS_OK;
}

static int option_check_string(const struct config_option *option, const char *text,
                               struct err *err)
{
    int64_t length = (int64_t)strlen(text);
    if (length < option->min)
        return option_fault(err, option, length ? "is too short" : "is empty");
    if (length > option->max)
        return option_fault(err, option, "is too long");
    if (!utf8_valid(slice_str(text)))
        return option_fault(err, option, "is not UTF-8");
    return STATUS_OK;
}

/* config NULL: only checks */
static int option_load(void *config, const struct config_option *option,
                       char *(*lookup)(const char *), struct err *err)
{
    const char *text = lookup(option->env);
    int64_t number = 0;
    if (!text)
        text = option->fallback;
    if (!text)
        return option_fault(err, option, "is not set");
    int rc = option->type == CONFIG_INT ? option_check_int(option, text, &number, err)
                                        : option_check_string(option, text, err);
    if (rc < 0 || !config)
        return rc;
    if (option->type == CONFIG_INT)
        *int_at(config, option) = number;
    else
        *string_at(config, option) = text;
    return STATUS_OK;
}

int config_load(void *config, const struct config_option *options, size_t n,
                char *(*lookup)(const char *), struct err *err)
{
    int rc = STATUS_OK;
    for (size_t i = 0; i < n && rc == STATUS_OK; i++) /* outputs are written only on success */
        rc = option_load(NULL, &options[i], lookup, err);
    for (size_t i = 0; i < n && rc == STATUS_OK; i++)
        rc = option_load(config, &options[i], lookup, err);
    return rc;
}

void config_print(const void *config, const struct config_option *options, size_t n,
                  struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = (const char *)config + options[i].offset;
        int64_t number;
        const char *text;
        switch (options[i].type) {
        case CONFIG_INT:
            memcpy(&number, at, sizeof(number));
            buf_printf(out, "%s=%lld\n", options[i].env, (long long)number);
            break;
        case CONFIG_STRING:
            memcpy(&text, at, sizeof(text));
            buf_printf(out, "%s=%s\n", options[i].env, text ? text : "");
            break;
        case CONFIG_SECRET:
            buf_printf(out, "%s=***\n", options[i].env);
            break;
        }
    }
}

void config_help(const struct config_option *options, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct config_option *option = &options[i];
        buf_printf(out, "%s\n    %s\n", option->env, option->help);
        if (option->type == CONFIG_INT)
            buf_printf(out, "    a whole number from %lld to %lld", (long long)option->min,
                       (long long)option->max);
        else
            buf_printf(out, "    %s of length %lld to %lld",
                       option->type == CONFIG_SECRET ? "a secret" : "text", (long long)option->min,
                       (long long)option->max);
        if (!option->fallback)
            buf_append_str(out, ", required\n");
        else if (option->type == CONFIG_SECRET)
            buf_append_str(out, ", has a default\n");
        else
            buf_printf(out, ", default \"%s\"\n", option->fallback);
    }
}
