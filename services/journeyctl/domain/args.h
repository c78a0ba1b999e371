#pragma once
/*
 * args: what was typed, held against the table of commands.
 *
 * A command's name is one or two words ("tenants create"). Options are --name VALUE, --name=VALUE or a flag; what comes
 * after `--` is positional. Everything is borrowed from argv.
 */
#include "base.h"

#define ARGS_MAX_OPTIONS    12
#define ARGS_MAX_POSITIONAL 32

struct ctl;
struct args;

struct command_option {
    const char *name;
    const char *value; /* what its value is called in the help; NULL: a flag */
    const char *help;
    bool required;
};

struct command {
    const char *name;
    const char *arguments; /* as in the usage line: "NAME", "[KEY VALUE]", or "" */
    const char *summary;   /* one line */
    const char *text;      /* what one should know before using it */
    const char *example;   /* lines that can be typed as they are */
    unsigned min, max;     /* positional arguments */
    const struct command_option *options;
    unsigned n_options;
    int (*run)(struct ctl *ctl, const struct args *args); /* the exit status */
};

struct args {
    const struct command *command;
    const char *positional[ARGS_MAX_POSITIONAL];
    unsigned n_positional;
    const char *values[ARGS_MAX_OPTIONS]; /* by option; of a flag that was given: "" */
};

/* The command that argv begins with, and how many words its name has; NULL: none. */
const struct command *args_find(const struct command *commands, unsigned n, int argc,
                                const char *const *argv, int *words);
/* argv: after the command's name. ERR_INVALID: err says what is wrong with which argument. */
int args_parse(struct args *args, const struct command *command, int argc, const char *const *argv,
               struct err *err) MUST_CHECK;
/* The value of an option of this command; NULL: not given. The name must be in its table. */
const char *args_get(const struct args *args, const char *name);
static inline bool args_has(const struct args *args, const char *name)
{
    return args_get(args, name) != NULL;
}
/* A whole number, or fallback when the option was not given. */
int args_int(const struct args *args, const char *name, int64_t fallback, int64_t min, int64_t max,
             int64_t *value, struct err *err) MUST_CHECK;
/* "90", "30s", "15m", "24h", "7d" as seconds. */
int args_duration(const char *text, int64_t *seconds) MUST_CHECK;
/* A whole number that is nothing else: no sign but '-', no spaces, no overflow. */
int args_number(const char *text, int64_t *value) MUST_CHECK;
