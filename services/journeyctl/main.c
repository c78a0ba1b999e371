/*
 * journeyctl: the operators' tool.
 *
 *     argv ──► command_table (commands.c) ──► args_parse ──► the command's function ──► exit status
 *
 * Commands use the database (database.c), the log (scan.c reads, publish.c writes) and the gateway (sender.c).
 */
#include "ctl.h"

#include <stdio.h>

static int unknown_command(int argc, const char *const *argv)
{
    if (argc == 1 && help_group(argv[0]))
        return CTL_USAGE;
    return ctl_fail(CTL_USAGE, "there is no command '%s%s%s'\n  all of them: journeyctl --help",
                    argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
}

static bool asks_for_help(int argc, const char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(const struct command *command, int argc, const char *const *argv)
{
    struct args args;
    struct err err;
    struct ctl ctl;
    if (asks_for_help(argc, argv))
        return help_command(command);
    if (args_parse(&args, command, argc, argv, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s\n  how: journeyctl %s --help", err.message, command->name);
    int status = ctl_init(&ctl);
    if (status == CTL_DONE)
        status = command->run(&ctl, &args);
    ctl_deinit(&ctl);
    if (fflush(stdout) != 0 && status == CTL_DONE)
        status = ctl_fail(CTL_FAILED, "the output could not be written");
    return status;
}

int main(int argc, char **arguments)
{
    int words;
    const char *const *argv = (const char *const *)arguments + 1;
    argc--;
    if (argc > 0 && strcmp(argv[0], "help") == 0) { /* "help tail" is "tail --help" */
        argc--;
        argv++;
        const struct command *asked =
            args_find(command_table, command_table_size, argc, argv, &words);
        if (asked)
            return help_command(asked);
    }
    const struct command *command =
        args_find(command_table, command_table_size, argc, argv, &words);
    if (command)
        return run(command, argc - words, argv + words);
    if (argc == 0 || argv[0][0] == '-') {
        int status = help_overall();
        return argc > 0 && asks_for_help(1, argv) ? status : CTL_USAGE;
    }
    if (asks_for_help(argc, argv) && help_group(argv[0]))
        return CTL_DONE;
    return unknown_command(argc, argv);
}
