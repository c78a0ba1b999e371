#include "files.h"

#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FILE_LIMIT ((size_t)1 << 30)

/* gzread passes through what is not compressed. */
static int read_all(const char *path, char **text, size_t *size)
{
    gzFile file = gzopen(path, "rb");
    if (!file)
        return ctl_fail(CTL_FAILED, "%s cannot be opened", path);
    size_t used = 0, capacity = (size_t)1 << 20;
    char *data = malloc(capacity);
    int got = 0;
    while (data && (got = gzread(file, data + used, (unsigned)(capacity - used))) > 0) {
        used += (size_t)got;
        if (used < capacity)
            continue;
        capacity *= 2;
        char *bigger = capacity > FILE_LIMIT ? NULL : realloc(data, capacity);
        if (!bigger)
            free(data);
        data = bigger;
    }
    int closed = gzclose_r(file);
    if (data && got == 0 && closed == Z_OK) {
        *text = data;
        *size = used;
        return CTL_DONE;
    }
    free(data);
    return ctl_fail(CTL_FAILED, data ? "%s is damaged" : "%s is too large for memory", path);
}

/* FOLDER/NAME or FOLDER/NAME.gz; NULL: neither is there. */
static const char *file_path(struct ctl *ctl, const char *folder, const char *name)
{
    const char *endings[] = {"", ".gz"};
    for (unsigned i = 0; i < ARRAY_SIZE(endings); i++) {
        const char *path = arena_printf(ctl->arena, "%s/%s%s", folder, name, endings[i]);
        if (path && access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

static int load_file(struct ctl *ctl, const char *folder, struct loaded *loaded, unsigned file)
{
    struct err err;
    size_t size = 0;
    const struct dataset_file *known = &loaded->dataset.form->files[file];
    const char *path = file_path(ctl, folder, known->name);
    if (!path && known->required)
        return ctl_fail(CTL_FAILED, "%s has no %s (or %s.gz)", folder, known->name, known->name);
    if (!path)
        return CTL_DONE;
    int status = read_all(path, &loaded->texts[file], &size);
    if (status != CTL_DONE)
        return status;
    if (csv_table_parse(&loaded->dataset.tables[file], loaded->texts[file], size, &err) < 0)
        return ctl_fail(CTL_FAILED, "%s, %s", path, err.message);
    return CTL_DONE;
}

static const struct dataset_form *form_of_folder(struct ctl *ctl, const char *folder)
{
    for (unsigned i = 0; i < dataset_forms_count; i++)
        if (file_path(ctl, folder, dataset_forms[i]->files[0].name))
            return dataset_forms[i];
    return NULL;
}

static int unknown_form(const char *path)
{
    (void)ctl_fail(CTL_FAILED, "%s: which data set is this? It should hold one of", path);
    for (unsigned i = 0; i < dataset_forms_count; i++)
        (void)fprintf(stderr, "  %s: %s\n", dataset_forms[i]->name, dataset_forms[i]->describes);
    return CTL_FAILED;
}

int files_load(struct ctl *ctl, const char *path, const struct dataset_form *form,
               struct loaded *loaded)
{
    struct stat info;
    struct err err;
    unsigned file;
    if (stat(path, &info) != 0)
        return ctl_fail(CTL_FAILED, "there is no file or folder %s", path);
    char *folder = arena_str(ctl->arena, slice_str(path));
    if (folder && !S_ISDIR(info.st_mode)) {
        const char *slash = strrchr(path, '/');
        const struct dataset_form *named = dataset_form_of_file(slash ? slash + 1 : path, &file);
        form = form ? form : named;
        if (slash)
            folder[slash == path ? 1 : slash - path] = '\0';
        else
            folder = arena_str(ctl->arena, SLICE_LITERAL("."));
    } else if (folder && !form) {
        form = form_of_folder(ctl, folder);
    }
    if (!folder || !form)
        return unknown_form(path);
    *loaded = (struct loaded){.dataset.form = form};
    int status = CTL_DONE;
    for (file = 0; status == CTL_DONE && file < DATASET_MAX_FILES && form->files[file].name; file++)
        status = load_file(ctl, folder, loaded, file);
    if (status == CTL_DONE && dataset_build(&loaded->dataset, &err) < 0)
        status = ctl_fail(CTL_FAILED, "%s: %s", folder, err.message);
    if (status != CTL_DONE)
        files_unload(loaded);
    return status;
}

void files_unload(struct loaded *loaded)
{
    dataset_deinit(&loaded->dataset);
    for (unsigned i = 0; i < DATASET_MAX_FILES; i++)
        free(loaded->texts[i]);
    *loaded = (struct loaded){0};
}
