#pragma once
/* replay: sends a data set; what `replay` and `demo` share. */
#include "ctl.h"
#include "sender.h"

struct replay_options {
    const char *path, *form; /* form NULL or "auto": told from the files' names */
    const char *url, *key;
    unsigned connections;
    bool shift_to_now; /* moves all times so that the last event is now */
};

int replay_run(struct ctl *ctl, const struct replay_options *options,
               struct sender_figures *figures) MUST_CHECK;
/* The installation's own gateway. */
const char *replay_default_url(struct ctl *ctl);
