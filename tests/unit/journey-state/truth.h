#pragma once
/* Truth tables in text files beside the tests: a case a line, columns split by |, # begins a comment. */
#include "test.h"

#define TRUTH_COLUMNS 8

struct truth {
    const char *columns[TRUTH_COLUMNS]; /* trimmed; "" beyond the last */
    const char *line;                   /* the case's name */
};

/* Calls check for each case; fails when there is none. */
void truth_each(const char *file, void (*check)(const struct truth *truth));
