#pragma once
/*
 * ctl: what every command has: where the installation is, its database and its log, both opened when first asked for.
 *
 * Data goes to stdout, everything said to people to stderr. A command returns its exit status; whoever finds the error
 * says it (ctl_fail) and passes the status on.
 */
#include "base.h"
#include "bus.h"
#include "domain/args.h"

enum ctl_exit {
    CTL_DONE = 0,
    CTL_FAILED = 1,      /* it was refused, or there is no such thing */
    CTL_USAGE = 2,       /* typed wrongly */
    CTL_UNAVAILABLE = 3, /* a server does not answer: try again */
    CTL_PARTLY = 4,      /* some of it happened; what is missing was said */
};

/* Where an installation is: from the environment, and what that leaves open from a run directory's `env`. */
struct ctl_place {
    const char *brokers, *database_url, *http_port, *prefix, *master_key, *master_key_file;
    int32_t partitions;
};

struct pg_conn;
struct ctl {
    struct ctl_place place;
    struct arena *arena; /* lives as long as the command */
    struct pg_conn *db;  /* NULL: not connected yet */
    struct bus *bus;     /* NULL: not connected yet */
};

/* What to leave out of the exit path when set-up failed half-way is known by the NULLs. */
int ctl_init(struct ctl *ctl) MUST_CHECK;
void ctl_deinit(struct ctl *ctl);
/* "journeyctl: ..." on stderr; returns status, so that `return ctl_fail(...)` is the whole error path. */
int ctl_fail(enum ctl_exit status, const char *format, ...) PRINTF(2, 3);
/* The same for a library's error, after what was tried; a transient one is CTL_UNAVAILABLE. */
int ctl_fail_err(const char *tried, const struct err *err);
/* Connects; send_topic (enum topic) is warmed, -1: none. */
int ctl_bus(struct ctl *ctl, int send_topic) MUST_CHECK;
/* The file or folder `name` of this installation ("migrations"): beside the program, above it, or here. NULL: none. */
const char *ctl_find_file(struct ctl *ctl, const char *name);
/* Who is at work, for the audit log: the system's name of the user. */
const char *ctl_actor(void);

extern const struct command command_table[];
extern const unsigned command_table_size;
int help_overall(void);
int help_command(const struct command *command);
/* The commands whose names begin with word, e.g. "tenants"; false: there are none. */
bool help_group(const char *word);
