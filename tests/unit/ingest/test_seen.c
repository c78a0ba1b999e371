/* What a device has sent in 24 hours, by a truth table: chunks open and written, hours, limits. */
#include "domain/seen.h"
#include "tables.h"

struct story {
    struct arena *arena;
    struct ingest_seen_chunk open, written[1000];
    unsigned n;
};

/* Never over one that is there. */
static void write_chunk(struct story *story, const struct ingest_seen_chunk *chunk)
{
    assert_true(story->n < ARRAY_SIZE(story->written));
    assert_true(story->n == 0 || story->written[story->n - 1].at_us < chunk->at_us);
    story->written[story->n++] = *chunk;
}

static struct ingest_seen_hash hash_of(long id, struct arena *arena)
{
    return ingest_seen_hash(slice_str(arena_printf(arena, "message %ld", id)));
}

/* As the service does it. */
static const char *see(struct story *story, struct ingest_seen_hash hash, int64_t now_us)
{
    struct ingest_seen seen = {.open = story->open};
    struct ingest_seen_chunk spilled;
    bool again = ingest_seen_holds(&seen.open, hash, now_us);
    for (unsigned i = 0; i < story->n && !again; i++) {
        if (story->written[i].at_us <= now_us - INGEST_SEEN_KEEP_US)
            continue; /* not loaded any more */
        again = ingest_seen_holds(&story->written[i], hash, now_us);
        ingest_seen_written(&seen, &story->written[i]);
    }
    if (again)
        return "again";
    bool added = ingest_seen_add(&seen, hash, now_us, story->arena, &spilled);
    story->open = seen.open;
    if (spilled.hashes.size)
        write_chunk(story, &spilled);
    return added ? "new" : "full";
}

static const char *chunk_text(const struct ingest_seen_chunk *chunk, struct arena *arena)
{
    return chunk->hashes.size ? arena_printf(arena, "%d/%d*%zu", (int)(chunk->at_us / HOUR_US),
                                             (int)(chunk->at_us % HOUR_US),
                                             chunk->hashes.size / INGEST_SEEN_HASH_BYTES)
                              : "";
}

/* "first second", or "first .. last" of more. */
static const char *written_text(struct story *story, unsigned from)
{
    unsigned n = story->n - from;
    if (n == 0)
        return "";
    const char *first = chunk_text(&story->written[from], story->arena),
               *last = chunk_text(&story->written[story->n - 1], story->arena);
    if (n == 1)
        return arena_printf(story->arena, "%s", first);
    return arena_printf(story->arena, n == 2 ? "%s %s" : "%s .. %s", first, last);
}

/* The first chunk of its hour, as another release left it. */
static void put_written(struct story *story, int64_t now_us, long from, long to)
{
    struct ingest_seen_chunk chunk = {.at_us = now_us - now_us % HOUR_US};
    uint8_t *bytes = arena_alloc(story->arena, (size_t)(to - from + 1) * INGEST_SEEN_HASH_BYTES);
    for (long id = from; id <= to; id++) {
        struct ingest_seen_hash hash = hash_of(id, story->arena);
        memcpy(bytes + (id - from) * INGEST_SEEN_HASH_BYTES, hash.bytes, sizeof(hash.bytes));
    }
    chunk.hashes = slice_make(bytes, (size_t)(to - from + 1) * INGEST_SEEN_HASH_BYTES);
    write_chunk(story, &chunk);
}

static void seen_row(const struct table_row *row, void *user)
{
    struct story *story = user;
    if (row->columns[0][0] == '=') {
        story->open = (struct ingest_seen_chunk){0};
        story->n = 0;
        return;
    }
    int64_t now_us = table_duration_us(row->columns[0]);
    char *rest;
    long from = strtol(row->columns[1], &rest, 10);
    long to = *rest == '-' ? strtol(rest + 1, NULL, 10) : from;
    bool there = strcmp(row->columns[2], "written") == 0;
    if (there)
        put_written(story, now_us, from, to);
    unsigned before = story->n;
    for (long id = from; id <= to && !there; id++) {
        const char *verdict = see(story, hash_of(id, story->arena), now_us);
        if (strcmp(verdict, row->columns[2]) != 0)
            fail_msg("%s:%d: id %ld is %s", row->file, row->line, id, verdict);
    }
    const char *written = written_text(story, before),
               *open = chunk_text(&story->open, story->arena);
    if (strcmp(written, row->columns[3]) != 0 || strcmp(open, row->columns[4]) != 0)
        fail_msg("%s:%d: written: %s, open: %s", row->file, row->line, written, open);
}

static void ids_count_once_a_day(void **state)
{
    static struct story story;
    story.arena = arena_create(256 << 20);
    table_each("seen.txt", 5, seen_row, &story);
    arena_destroy(&story.arena);
}

static void a_full_arena_says_so(void **state)
{
    struct arena *arena = arena_create(64);
    struct ingest_seen seen = {0};
    struct ingest_seen_chunk spilled;
    for (long id = 0; id < INGEST_SEEN_CHUNK && !arena_overflowed(arena); id++)
        (void)ingest_seen_add(&seen, (struct ingest_seen_hash){{(uint8_t)id}}, HOUR_US, arena,
                              &spilled);
    assert_true(arena_overflowed(arena));
    assert_int_equal(seen.open.hashes.size, 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_once_a_day),
        cmocka_unit_test(a_full_arena_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
