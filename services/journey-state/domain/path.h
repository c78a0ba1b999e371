#pragma once
/* Which path a session takes, from where it comes. */
#include "base.h"

/* source: of the entry point, lower case. returning: a truthy indicator, or a known person's earlier
 * session. The result is a literal. */
const char *path_choose(const char *device_type, const char *source, bool returning);

/* mobile, tablet or desktop; anything else is desktop. A literal. */
const char *path_device(const char *device_type);
