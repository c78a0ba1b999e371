/*
 * Runs a fuzz target over its corpus, in the ordinary test run: replay_<name> reads tests/fuzz/corpus/<name>.
 * Each input, and each of its beginnings up to a limit, is given in memory of exactly its size, so that a sanitizer sees a
 * read past the end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20)
#define CUTS_MAX                                                                                   \
    512 /* beginnings tried of one input: all of a small one, the first of a large one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    if (size) {
        LLVMFuzzerTestOneInput(exact, size);
    } else {
        free(exact);
        exact = NULL;
        LLVMFuzzerTestOneInput(NULL, 0);
    }
    free(exact);
}

static int replay_file(const char *folder, const char *name, uint8_t *input)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
        return -1;
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    size_t size = fread(input, 1, INPUT_MAX, file);
    int rc = ferror(file) ? -1 : 0;
    if (fclose(file) != 0 || rc < 0)
        return -1;
    printf("# %s\n", path); /* the last one named is the one that broke it */
    (void)fflush(stdout);
    for (size_t cut = 0; cut < size && cut < CUTS_MAX; cut++)
        replay(input, cut);
    replay(input, size);
    return 0;
}

int main(int argc, char **argv)
{
    char folder[512];
    const char *name = strstr(argv[0], "replay_");
    if (!name || (size_t)snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s",
                                  name + strlen("replay_")) >= sizeof(folder))
        return 2;
    DIR *dir = opendir(folder);
    uint8_t *input = malloc(INPUT_MAX);
    int n = 0, bad = !dir || !input;
    for (struct dirent *entry; !bad && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        bad = replay_file(folder, entry->d_name, input) < 0;
        n++;
    }
    free(input);
    if (dir)
        closedir(dir);
    printf("%s replay of %d inputs in %s\n", bad || n == 0 ? "not ok" : "ok", n, folder);
    return bad || n == 0;
}
