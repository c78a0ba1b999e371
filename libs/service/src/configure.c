/* The command line of every process: -c -t -s -h, and the configuration from the environment. */
#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_USAGE 2 /* wrong options or configuration, as of most programs */

#define ROW(...) CONFIG_ROW(struct service_config, __VA_ARGS__)
const struct config_option service_options[] = {SERVICE_OPTIONS(ROW)};
#undef ROW
const size_t service_options_count = ARRAY_SIZE(service_options);

int service_log_level(const char *text)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < (int)ARRAY_SIZE(names); i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
    }
    return -1;
}

static void print(const struct buf *text)
{
    if (text->size && fwrite(text->data, 1, text->size, stdout) != text->size)
        exit(1); /* nobody reads it */
}

static void help(const char *name, const struct config_option *more, size_t n_more)
{
    struct buf text _cleanup_(buf_deinit) = {0};
    buf_printf(&text,
               "usage: %s [-c | -t | -s | -h]\n"
               "Runs in the foreground until SIGTERM or SIGINT, then finishes what is under way.\n"
               "  -c  print the configuration\n"
               "  -t  check it\n"
               "  -s  list the metrics\n"
               "  -h  this\n"
               "Configuration comes from the environment:\n",
               name);
    config_help(service_options, service_options_count, &text);
    if (n_more)
        config_help(more, n_more, &text);
    print(&text);
}

static void print_configuration(const struct service_config *config, const void *more,
                                const struct config_option *more_options, size_t n_more)
{
    struct buf text _cleanup_(buf_deinit) = {0};
    config_print(config, service_options, service_options_count, &text);
    if (n_more)
        config_print(more, more_options, n_more, &text);
    print(&text);
}

/* To list metrics no server is needed. */
static char *lookup_any(const char *env)
{
    static char none[] = "none";
    char *value = getenv(env);
    return !value && strcmp(env, "DATABASE_URL") == 0 ? none : value;
}

static int load(const char *name, char option, struct service_config *config, void *more,
                const struct config_option *more_options, size_t n_more)
{
    struct err err = {0};
    int status = config_load(config, service_options, service_options_count,
                             option == 's' ? lookup_any : getenv, &err);
    if (!status && n_more)
        status = config_load(more, more_options, n_more, getenv, &err);
    if (!status && service_log_level(config->log_level) < 0)
        status = err_set(&err, ERR_INVALID, ERR_CLASS_FATAL,
                         "config: JOURNEY_LOG_LEVEL is none of debug, info, warn, error");
    if (status)
        (void)fprintf(stderr, "%s: %s\n", name, err.message);
    return status;
}

int service_configure(int argc, char **argv, const char *name, struct service_config *config,
                      void *more, const struct config_option *more_options, size_t n_more)
{
    int option = 0, given;
    while ((given = getopt(argc, argv, "ctsh")) != -1)
        option = option ? '?' : given;
    if (optind < argc || option == '?') {
        (void)fprintf(stderr, "usage: %s [-c | -t | -s | -h]\n", name);
        return EXIT_USAGE;
    }
    if (option == 'h') {
        help(name, more_options, n_more);
        return 0;
    }
    if (load(name, (char)option, config, more, more_options, n_more))
        return EXIT_USAGE;
    config->list_metrics = option == 's';
    if (option == 'c')
        print_configuration(config, more, more_options, n_more);
    if (option == 't')
        (void)printf("%s: the configuration is good\n", name);
    return option == 'c' || option == 't' ? 0 : -1;
}
