#pragma once
/* files: a data set from a folder or one of its files, plain or gzipped, in memory. */
#include "domain/dataset.h"

struct ctl;
struct loaded {
    struct dataset dataset;
    char *texts[DATASET_MAX_FILES]; /* what the tables' cells point into */
};

/* form NULL: told from the files' names. Says errors itself and returns an exit status. */
int files_load(struct ctl *ctl, const char *path, const struct dataset_form *form,
               struct loaded *loaded) MUST_CHECK;
void files_unload(struct loaded *loaded);
