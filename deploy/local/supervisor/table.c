/* Reads the process table; its words are told in main.c. A mistake ends the start, with file and line. */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *s = strdup(text);
    if (!s)
        die("out of memory");
    return s;
}

static void table_ready(struct process *p, const char *value, const char *at)
{
    static const struct {
        const char *word;
        enum ready ready;
    } kinds[] = {
        {"log ", READY_LOG}, {"tcp ", READY_TCP}, {"http ", READY_HTTP}, {"exit", READY_EXIT}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(value, kinds[i].word, n) != 0)
            continue;
        p->ready = kinds[i].ready;
        const char *rest = value + n;
        char *end;
        if (p->ready == READY_TCP || p->ready == READY_HTTP) {
            p->ready_port = (int)strtol(rest, &end, 10);
            rest = *end == ' ' ? end + 1 : end;
        }
        p->ready_text = copy(rest);
        return;
    }
    die("%s: ready is log TEXT, tcp PORT, http PORT PATH or exit, not \"%s\"", at, value);
}

static void table_word(char **list, int *n, const char *value, const char *at)
{
    if (*n == WORDS_MAX)
        die("%s: more than %d words", at, WORDS_MAX);
    list[(*n)++] = copy(value);
}

static void table_line(struct supervisor *s, const char *key, const char *value, const char *at)
{
    if (strcmp(key, "process") == 0) {
        if (s->n == PROCESSES_MAX)
            die("%s: more than %d processes", at, PROCESSES_MAX);
        s->processes[s->n++] = (struct process){.name = copy(value),
                                                .ready_ms = 60000,
                                                .stop_ms = 15000,
                                                .stop_signal = SIGTERM,
                                                .out = -1,
                                                .log = -1,
                                                .probe = -1};
        return;
    }
    if (s->n == 0)
        die("%s: \"process NAME\" comes first", at);
    struct process *p = &s->processes[s->n - 1];
    if (strcmp(key, "dir") == 0)
        p->dir = copy(value);
    else if (strcmp(key, "arg") == 0)
        table_word(p->args, &p->n_args, value, at);
    else if (strcmp(key, "env") == 0)
        table_word(p->env, &p->n_env, value, at);
    else if (strcmp(key, "stage") == 0)
        p->stage = atoi(value);
    else if (strcmp(key, "port") == 0)
        p->port = atoi(value);
    else if (strcmp(key, "ready-seconds") == 0)
        p->ready_ms = atol(value) * 1000;
    else if (strcmp(key, "stop-seconds") == 0)
        p->stop_ms = atol(value) * 1000;
    else if (strcmp(key, "stop-signal") == 0)
        p->stop_signal = atoi(value);
    else if (strcmp(key, "ready") == 0)
        table_ready(p, value, at);
    else
        die("%s: unknown word \"%s\"", at, key);
}

void table_read(struct supervisor *s, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        die("%s: %s", path, strerror(errno));
    char *line = NULL, at[PATH_MAX + 32];
    size_t size = 0;
    for (int number = 1; getline(&line, &size, f) >= 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        char *key = line + strspn(line, " \t");
        if (*key == '\0' || *key == '#')
            continue;
        char *value = key + strcspn(key, " ");
        if (*value != '\0')
            *value++ = '\0';
        (void)snprintf(at, sizeof at, "%s:%d", path, number);
        table_line(s, key, value, at);
    }
    free(line);
    (void)fclose(f);
    for (int i = 0; i < s->n; i++)
        if (s->processes[i].n_args == 0)
            die("%s: process %s has no arg", path, s->processes[i].name);
}
