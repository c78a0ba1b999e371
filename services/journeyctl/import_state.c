#include "import.h"
#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#define PREFIX_BYTES 4096
#define SHOWN        10 /* reasons on stderr; the file has all */

/* The hash of the file's first bytes, at most `size`, and how many there were. */
static int hash_prefix(struct import *import, size_t size, char hex[65], uint64_t *found)
{
    uint8_t bytes[PREFIX_BYTES], hash[32];
    gzFile file = gzopen(import->path, "rb");
    if (!file)
        return ctl_fail(CTL_FAILED, "%s cannot be opened", import->path);
    int got = gzread(file, bytes, (unsigned)(size < sizeof(bytes) ? size : sizeof(bytes)));
    (void)gzclose_r(file);
    if (got < 0)
        return ctl_fail(CTL_FAILED, "%s is damaged", import->path);
    hash_sha256(hash, slice_make(bytes, (size_t)got));
    hex_format(hex, hash, sizeof(hash));
    *found = (uint64_t)got;
    return CTL_DONE;
}

static bool read_state(struct import *import, struct import_state *state)
{
    FILE *file = fopen(import->state_path, "re");
    if (!file)
        return false;
    int n = fscanf(file,
                   "target %32s prefix %64s %" SCNu64 " offset %" SCNu64 " line %" SCNu64
                   " accepted %" SCNu64 " rejected %" SCNu64 " %" SCNu64,
                   state->target, state->prefix, &state->prefix_size, &state->offset, &state->line,
                   &state->accepted, &state->rejected, &state->rejected_bytes);
    (void)fclose(file);
    return n == 8;
}

int import_state_open(struct import *import, bool restart)
{
    struct import_state found = {.offset = 0};
    char prefix[65];
    uint64_t size = 0;
    int status =
        hash_prefix(import, PREFIX_BYTES, import->state.prefix, &import->state.prefix_size);
    if (status != CTL_DONE)
        return status;
    import->state_path = arena_printf(import->arena, "%s.import", import->path);
    import->rejected_path = arena_printf(import->arena, "%s.rejected", import->path);
    if (!import->state_path || !import->rejected_path)
        return ctl_fail(CTL_FAILED, "no memory");
    import->rejected = fopen(import->rejected_path, "ae");
    if (!import->rejected)
        return ctl_fail(CTL_FAILED, "%s cannot be written", import->rejected_path);
    if (flock(fileno(import->rejected), LOCK_EX | LOCK_NB) != 0) {
        (void)fclose(import->rejected);
        import->rejected = NULL;
        return ctl_fail(CTL_FAILED, "another import of %s is at work", import->path);
    }
    if (!restart && read_state(import, &found) && strcmp(found.target, import->state.target) == 0) {
        status = hash_prefix(import, found.prefix_size, prefix, &size);
        if (status != CTL_DONE)
            return status;
        if (size == found.prefix_size && strcmp(prefix, found.prefix) == 0)
            import->state = found;
    }
    /* what was written after the last answer is written again */
    if (ftruncate(fileno(import->rejected), (off_t)import->state.rejected_bytes) != 0)
        return ctl_fail(CTL_FAILED, "%s cannot be written", import->rejected_path);
    return CTL_DONE;
}

static void free_text(char **text)
{
    free(*text);
}

int import_state_save(struct import *import)
{
    const struct import_state *state = &import->state;
    _cleanup_(free_text) char *next = NULL;
    if (asprintf(&next, "%s.new", import->state_path) < 0)
        return ctl_fail(CTL_FAILED, "no memory");
    if (fflush(import->rejected) != 0)
        return ctl_fail(CTL_FAILED, "%s cannot be written", import->rejected_path);
    FILE *file = fopen(next, "we");
    bool written =
        file && fprintf(file,
                        "target %s\nprefix %s %" PRIu64 "\noffset %" PRIu64 "\nline %" PRIu64
                        "\naccepted %" PRIu64 "\nrejected %" PRIu64 " %" PRIu64 "\n",
                        state->target, state->prefix, state->prefix_size, state->offset,
                        state->line, state->accepted, state->rejected, state->rejected_bytes) > 0;
    if (file && fclose(file) != 0)
        written = false;
    if (!written || rename(next, import->state_path) != 0)
        return ctl_fail(CTL_FAILED, "%s cannot be written", import->state_path);
    return CTL_DONE;
}

void import_state_close(struct import *import)
{
    if (!import->rejected)
        return;
    if (import->state.rejected_bytes == 0)
        (void)unlink(import->rejected_path);
    (void)fclose(import->rejected);
    import->rejected = NULL;
}

int import_reject(struct import *import, uint64_t line, const char *field, const char *code,
                  const char *message, struct slice raw)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    json_key(&w, "line");
    json_write_int(&w, (int64_t)line);
    json_key(&w, "field");
    json_write_str(&w, field);
    json_key(&w, "code");
    json_write_str(&w, code);
    json_key(&w, "message");
    json_write_str(&w, message);
    json_key(&w, "text");
    json_write_slice(&w, raw);
    json_end_object(&w);
    buf_append_byte(&buf, '\n');
    if (import->state.rejected++ < SHOWN)
        (void)fprintf(stderr, "%s:%" PRIu64 ": %s%s%s (%s)\n", import->path, line, field,
                      *field ? ": " : "", message, code);
    if (!import->rejected)
        return CTL_DONE;
    import->state.rejected_bytes += buf.size;
    if (fwrite(buf.data, 1, buf.size, import->rejected) != buf.size)
        return ctl_fail(CTL_FAILED, "%s cannot be written", import->rejected_path);
    return CTL_DONE;
}
