#include "privacy.h"

#include <stdio.h>

#define HEX_SIZE (2 * PRIVACY_KEY_SIZE)

static int parse(uint8_t master[PRIVACY_KEY_SIZE], const char *text, const char *what,
                 struct err *err)
{
    size_t size = strcspn(text, " \r\n"); /* of a file, the line */
    if (text[size + strspn(text + size, " \r\n")] == 0 &&
        hex_parse(master, PRIVACY_KEY_SIZE, slice_make(text, size)) >= 0)
        return 0;
    return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "%s does not hold 64 hex digits", what);
}

static int parse_file(uint8_t master[PRIVACY_KEY_SIZE], const char *path, struct err *err)
{
    char text[HEX_SIZE + 16] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_NOT_FOUND, ERR_CLASS_FATAL,
                       "JOURNEY_MASTER_KEY_FILE: cannot read %.150s", path);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    int r = fclose(file) == 0 && size > 0
                ? parse(master, text, "JOURNEY_MASTER_KEY_FILE", err)
                : err_set(err, ERR_INVALID, ERR_CLASS_FATAL,
                          "JOURNEY_MASTER_KEY_FILE: %.150s is empty", path);
    privacy_wipe(text, sizeof(text));
    return r;
}

int privacy_master_load(uint8_t master[PRIVACY_KEY_SIZE], const char *text, const char *path,
                        struct err *err)
{
    if (text && *text)
        return parse(master, text, "JOURNEY_MASTER_KEY", err);
    if (path && *path)
        return parse_file(master, path, err);
    return err_set(err, ERR_INVALID, ERR_CLASS_FATAL,
                   "no master key: set JOURNEY_MASTER_KEY_FILE to a file with 64 hex digits, or "
                   "JOURNEY_MASTER_KEY "
                   "to them (openssl rand -hex 32)");
}
