#pragma once
/*
 * envfile: variables out of a file that a shell reads too: assignments NAME=VALUE, several on a line or one, `export`
 * before them or not, values quoted as a shell quotes (backslash, '...', "...", $'...' without escapes). Comments from #.
 */
#include "base.h"

/* The last assignment of name, into out (terminated); false: there is none. */
bool envfile_get(struct slice text, const char *name, struct buf *out);
