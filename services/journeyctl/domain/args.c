/* Arguments: found by name in the command's own table, so that the help and the parser cannot differ. */
#include "args.h"

#include <errno.h>
#include <stdlib.h>

/* How many of argv's words the command's name matches: all of its words, or 0. */
static int words_matched(const char *name, int argc, const char *const *argv)
{
    const char *space = strchr(name, ' ');
    size_t first = space ? (size_t)(space - name) : strlen(name);
    if (argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], name, first) != 0)
        return 0;
    if (!space)
        return 1;
    return argc >= 2 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

const struct command *args_find(const struct command *commands, unsigned n, int argc,
                                const char *const *argv, int *words)
{
    const struct command *found = NULL;
    *words = 0;
    for (unsigned i = 0; i < n; i++) {
        int matched = words_matched(commands[i].name, argc, argv);
        if (matched > *words) {
            *words = matched;
            found = &commands[i];
        }
    }
    return found;
}

static int option_index(const struct command *command, const char *name, size_t size)
{
    for (unsigned i = 0; i < command->n_options; i++)
        if (strlen(command->options[i].name) == size &&
            memcmp(command->options[i].name, name, size) == 0)
            return (int)i;
    return -1;
}

/* One --option at argv[0]; returns how many words it took, or a status. */
static int take_option(struct args *args, int argc, const char *const *argv, struct err *err)
{
    const struct command *command = args->command;
    const char *name = argv[0] + 2;
    const char *equals = strchr(name, '=');
    int index = option_index(command, name, equals ? (size_t)(equals - name) : strlen(name));
    if (index < 0)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s has no option %s", command->name,
                       argv[0]);
    const struct command_option *option = &command->options[index];
    if (args->values[index])
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "--%s is given twice", option->name);
    if (!option->value && equals)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "--%s takes no value", option->name);
    if (!option->value || equals) {
        args->values[index] = equals ? equals + 1 : "";
        return 1;
    }
    if (argc < 2 || strncmp(argv[1], "--", 2) == 0)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "--%s needs a value: --%s %s",
                       option->name, option->name, option->value);
    args->values[index] = argv[1];
    return 2;
}

static int check_complete(const struct args *args, struct err *err)
{
    const struct command *command = args->command;
    if (args->n_positional < command->min)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s needs %s", command->name,
                       command->arguments);
    for (unsigned i = 0; i < command->n_options; i++)
        if (command->options[i].required && !args->values[i])
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s needs --%s %s", command->name,
                           command->options[i].name, command->options[i].value);
    return 0;
}

int args_parse(struct args *args, const struct command *command, int argc, const char *const *argv,
               struct err *err)
{
    assert(command->n_options <= ARGS_MAX_OPTIONS && command->max <= ARGS_MAX_POSITIONAL);
    *args = (struct args){.command = command};
    bool only_positional = false;
    for (int i = 0; i < argc;) {
        if (!only_positional && strcmp(argv[i], "--") == 0) {
            only_positional = true;
            i++;
        } else if (!only_positional && strncmp(argv[i], "--", 2) == 0) {
            int taken = take_option(args, argc - i, argv + i, err);
            if (taken < 0)
                return taken;
            i += taken;
        } else if (args->n_positional == command->max) {
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                           "%s does not know what to do with '%s'", command->name, argv[i]);
        } else {
            args->positional[args->n_positional++] = argv[i++];
        }
    }
    return check_complete(args, err);
}

const char *args_get(const struct args *args, const char *name)
{
    int index = option_index(args->command, name, strlen(name));
    assert(index >= 0);
    return args->values[index];
}

int args_number(const char *text, int64_t *value)
{
    char *end;
    if ((*text < '0' || *text > '9') && *text != '-')
        return ERR_INVALID;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return ERR_INVALID;
    *value = number;
    return 0;
}

int args_int(const struct args *args, const char *name, int64_t fallback, int64_t min, int64_t max,
             int64_t *value, struct err *err)
{
    const char *text = args_get(args, name);
    int64_t number = fallback;
    if (text && (args_number(text, &number) < 0 || number < min || number > max))
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "--%s is a whole number from %lld to %lld, not '%s'", name, (long long)min,
                       (long long)max, text);
    *value = number;
    return 0;
}

int args_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char digits[12];
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size >= sizeof(digits) - 1) /* ten digits: times 86,400 still fits */
        return ERR_INVALID;
    memcpy(digits, text, size);
    digits[size] = '\0';
    int64_t number;
    if (args_number(digits, &number) < 0)
        return ERR_INVALID;
    if (text[size] == '\0') {
        *seconds = number;
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(units); i++)
        if (text[size] == units[i].unit && text[size + 1] == '\0') {
            *seconds = number * units[i].seconds;
            return 0;
        }
    return ERR_INVALID;
}
