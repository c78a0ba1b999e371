#pragma once
/* load: made-up visitors at a steady rate, for measuring, and for proving that nothing acknowledged is lost. */
#include "ctl.h"

int command_load(struct ctl *ctl, const struct args *args);
