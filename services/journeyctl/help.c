/* The help is the table of commands, printed: overall, a group, one command. */
#include "ctl.h"

#include <stdio.h>

static void print_line(const struct command *command)
{
    char usage[80];
    (void)snprintf(usage, sizeof(usage), "%s%s%s", command->name, *command->arguments ? " " : "",
                   command->arguments);
    printf("  %-24s %s\n", usage, command->summary);
}

static const char INTRODUCTION[] =
    "journeyctl: looks after a Journey Engine\n"
    "\n"
    "  journeyctl COMMAND [ARGUMENTS]      journeyctl COMMAND --help shows each with an example\n"
    "\n"
    "Never used it? With the engine running (make up):\n"
    "  journeyctl demo                                   a year of real shopping, replayed\n"
    "  journeyctl tail touchpoints --tenant demo         what the engine made of it, and goes on "
    "making\n"
    "  journeyctl sessions list --tenant demo --limit 5  the sessions it sees\n"
    "\n"
    "Commands\n";
static const char CLOSING[] =
    "\n"
    "A tenant is an organisation: everything belongs to exactly one. A write key (jm_wk_) may "
    "send\n"
    "events and run sessions, a secret key (jm_sk_) may do all the rest; neither is shown again.\n"
    "\n"
    "Environment\n"
    "  KAFKA_BROKERS, DATABASE_URL    where the engine's servers are; if unset, from the file "
    "`env`\n"
    "                                 of the run directory: JOURNEY_RUN_DIR, else ./run\n"
    "  JOURNEY_TOPIC_PREFIX           before every topic's name (default: nothing)\n"
    "  JOURNEY_PARTITIONS             of every topic, fixed at installation (default 16)\n"
    "\n"
    "Exit status\n"
    "  0  done                        3  a server does not answer: try again\n"
    "  1  refused, or not found       4  partly done; the text says what is missing\n"
    "  2  typed wrongly\n"
    "Data goes to stdout, everything else to stderr.\n";

int help_overall(void)
{
    (void)fputs(INTRODUCTION, stdout);
    for (unsigned i = 0; i < command_table_size; i++)
        print_line(&command_table[i]);
    (void)fputs(CLOSING, stdout);
    return CTL_DONE;
}

bool help_group(const char *word)
{
    size_t size = strlen(word);
    bool any = false;
    for (unsigned i = 0; i < command_table_size; i++) {
        const struct command *command = &command_table[i];
        if (strncmp(command->name, word, size) != 0 || command->name[size] != ' ')
            continue;
        if (!any)
            printf("journeyctl %s needs to know what to do:\n", word);
        any = true;
        print_line(command);
    }
    return any;
}

int help_command(const struct command *command)
{
    printf("journeyctl %s%s%s", command->name, *command->arguments ? " " : "", command->arguments);
    for (unsigned i = 0; i < command->n_options; i++) {
        const struct command_option *option = &command->options[i];
        printf(" %s--%s%s%s%s", option->required ? "" : "[", option->name, option->value ? " " : "",
               option->value ? option->value : "", option->required ? "" : "]");
    }
    printf("\n\n%s\n%s", command->summary, command->text);
    for (unsigned i = 0; i < command->n_options; i++) {
        const struct command_option *option = &command->options[i];
        char usage[60];
        (void)snprintf(usage, sizeof(usage), "--%s%s%s", option->name, option->value ? " " : "",
                       option->value ? option->value : "");
        printf("%s  %-28s %s\n", i == 0 ? "\nOptions\n" : "", usage, option->help);
    }
    printf("\nExample\n%s", command->example);
    return CTL_DONE;
}
