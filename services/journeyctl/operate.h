#pragma once
/* operate: the commands that look after an installation and look into it. */
#include "ctl.h"

int command_migrate(struct ctl *ctl, const struct args *args);
int command_topics_create(struct ctl *ctl, const struct args *args);
int command_topics_list(struct ctl *ctl, const struct args *args);
int command_tail(struct ctl *ctl, const struct args *args);
int command_dlq_list(struct ctl *ctl, const struct args *args);
int command_dlq_show(struct ctl *ctl, const struct args *args);
int command_dlq_replay(struct ctl *ctl, const struct args *args);
int command_dlq_drop(struct ctl *ctl, const struct args *args);
int command_sessions_list(struct ctl *ctl, const struct args *args);
int command_hash(struct ctl *ctl, const struct args *args);
int command_unseal(struct ctl *ctl, const struct args *args);
int command_replay(struct ctl *ctl, const struct args *args);
int command_import(struct ctl *ctl, const struct args *args);
int command_demo(struct ctl *ctl, const struct args *args);
