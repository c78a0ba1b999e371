#include "replay.h"

#include "files.h"
#include "operate.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNECTIONS_DEFAULT 4
#define CONNECTIONS_MAX     64

const char *replay_default_url(struct ctl *ctl)
{
    return arena_printf(ctl->arena, "http://127.0.0.1:%s",
                        ctl->place.http_port ? ctl->place.http_port : "8000");
}

static void print_outcome(const struct dataset *dataset, const struct sender_figures *figures,
                          int64_t now_us)
{
    printf("%s: sent %zu of %zu events, accepted %zu, refused %zu, in %.1f s (%llu retries)\n",
           dataset->form->name, figures->sent, figures->total, figures->accepted, figures->refused,
           (double)(now_us - figures->started_us) / SECOND_US,
           (unsigned long long)figures->retries);
    if (figures->refused > 0)
        (void)fprintf(stderr, "the first refusal: %s\n", figures->refusal);
}

int replay_run(struct ctl *ctl, const struct replay_options *options,
               struct sender_figures *figures)
{
    struct loaded loaded;
    const struct dataset_form *form = NULL;
    if (options->form && strcmp(options->form, "auto") != 0) {
        form = dataset_form_find(options->form);
        if (!form)
            return ctl_fail(CTL_USAGE,
                            "--dataset is retentioneering, completejourney or auto, "
                            "not '%s'",
                            options->form);
    }
    int status = files_load(ctl, options->path, form, &loaded);
    if (status != CTL_DONE)
        return status;
    const struct dataset *dataset = &loaded.dataset;
    int64_t last_us = dataset->n_events > 0 ? dataset->events[dataset->n_events - 1].time_us : 0;
    const struct sender_options sender = {
        .url = options->url,
        .key = options->key,
        .connections = options->connections,
        .shift_us = options->shift_to_now ? clock_system()->now_us(clock_system()) - last_us : 0,
        .dataset = dataset,
    };
    status = sender_run(&sender, figures);
    print_outcome(dataset, figures, clock_system()->now_us(clock_system()));
    files_unload(&loaded);
    if (status == CTL_DONE && figures->refused > 0)
        status = CTL_PARTLY;
    return status;
}

int command_replay(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct sender_figures figures = {0};
    int64_t connections;
    if (args_int(args, "connections", CONNECTIONS_DEFAULT, 1, CONNECTIONS_MAX, &connections, &err) <
        0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    const char *url = args_get(args, "url");
    const struct replay_options options = {
        .path = args->positional[0],
        .form = args_get(args, "dataset"),
        .url = url ? url : replay_default_url(ctl),
        .key = args_get(args, "key"),
        .connections = (unsigned)connections,
        .shift_to_now = args_has(args, "shift-to-now"),
    };
    return replay_run(ctl, &options, &figures);
}
