/*
 * Arena: bump allocation from a list of chunks.
 *
 *   first -> [used......] -> [used..|free] -> [kept from before] -> ...
 *                             ^ current, position
 *
 * A reset starts over at the first chunk, so a steady stream of messages of like size never calls
 * malloc. Under AddressSanitizer what is not handed out is poisoned, so that reading past an
 * allocation is caught.
 */
#include "base.h"
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size)   ((void)(data), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) ((void)(data), (void)(size))
#endif

#define ARENA_ALIGN     ((size_t)16)
#define ARENA_CHUNK_MIN ((size_t)4 << 10) /* most messages fit the first chunk */
#define ARENA_CHUNK_MAX                                                                            \
    ((size_t)64 << 10) /* chunks double up to here: few mallocs, little waste  \
                                            */
/* What one large message may leave behind: this much, or this share of what an arena for many messages may hold. */
#define ARENA_KEPT_MIN   ((size_t)256 << 10)
#define ARENA_KEPT_SHARE 32

struct chunk {
    struct chunk *next;
    size_t capacity;
    uint8_t data[] __attribute__((aligned(16)));
};

struct arena {
    struct chunk *first, *current;
    size_t position; /* in current */
    size_t used, limit;
    bool overflow;
    size_t *bytes; /* NULL: nobody counts */
};

static size_t align_up(size_t size)
{
    return (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
}

struct arena *arena_create(size_t limit)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena)
        arena->limit = align_up(limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2);
    return arena;
}

struct arena *arena_create_counted(size_t limit, size_t *bytes)
{
    struct arena *arena = arena_create(limit);
    if (arena)
        arena->bytes = bytes;
    return arena;
}

static void chunk_free(const struct arena *arena, struct chunk *chunk)
{
    if (arena->bytes)
        *arena->bytes -= sizeof(*chunk) + chunk->capacity;
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->capacity);
    free(chunk);
}

void arena_destroy(struct arena **arena)
{
    if (!arena || !*arena)
        return;
    for (struct chunk *chunk = (*arena)->first, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_free(*arena, chunk);
    }
    free(*arena);
    *arena = NULL;
}

void arena_reset(struct arena *arena)
{
    size_t kept = 0, most = arena->limit / ARENA_KEPT_SHARE;
    struct chunk **link = &arena->first;
    if (most < ARENA_KEPT_MIN)
        most = ARENA_KEPT_MIN;
    while (*link) {
        struct chunk *chunk = *link;
        if (kept + chunk->capacity <= most) {
            kept += chunk->capacity;
            ASAN_POISON_MEMORY_REGION(chunk->data, chunk->capacity);
            link = &chunk->next;
        } else {
            *link = chunk->next;
            chunk_free(arena, chunk);
        }
    }
    arena->current = arena->first;
    arena->position = 0;
    arena->used = 0;
    arena->overflow = false;
}

/* Makes current a chunk with room for size bytes: the next one when it is large enough, else a new
 * one before it. */
static bool arena_grow(struct arena *arena, size_t size)
{
    struct chunk **link = arena->current ? &arena->current->next : &arena->first;
    if (!*link || (*link)->capacity < size) {
        size_t capacity = arena->current ? arena->current->capacity * 2 : ARENA_CHUNK_MIN;
        if (capacity > ARENA_CHUNK_MAX)
            capacity = ARENA_CHUNK_MAX;
        if (capacity < size)
            capacity = size;
        struct chunk *chunk = malloc(sizeof(*chunk) + capacity);
        if (!chunk)
            return false;
        if (arena->bytes)
            *arena->bytes += sizeof(*chunk) + capacity;
        chunk->next = *link;
        chunk->capacity = capacity;
        ASAN_POISON_MEMORY_REGION(chunk->data, capacity);
        *link = chunk;
    }
    arena->current = *link;
    arena->position = 0;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (arena->overflow)
        return NULL;
    if (size == 0)
        size = 1;
    size_t rounded = align_up(size);
    if (rounded < size || rounded > arena->limit - arena->used) {
        arena->overflow = true;
        return NULL;
    }
    if (!arena->current || rounded > arena->current->capacity - arena->position) {
        if (!arena_grow(arena, rounded)) {
            arena->overflow = true;
            return NULL;
        }
    }
    uint8_t *data = arena->current->data + arena->position;
    arena->position += rounded;
    arena->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(data, size);
    return memset(data, 0, size);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    if (size == SIZE_MAX) {
        arena->overflow = true;
        return NULL;
    }
    char *copy = arena_alloc(arena, size + 1);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

struct slice arena_slice(struct arena *arena, struct slice s)
{
    void *copy = arena_copy(arena, s.data, s.size);
    return slice_make(copy, copy ? s.size : 0);
}

char *arena_str(struct arena *arena, struct slice s)
{
    return arena_copy(arena, s.data, s.size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char text[256]; /* most texts are short: formatted once */
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(text, sizeof(text), format, args);
    char *out = NULL;
    if (size >= 0 && (size_t)size < sizeof(text)) {
        out = arena_copy(arena, text, (size_t)size);
    } else if (size >= 0) {
        out = arena_alloc(arena, (size_t)size + 1);
        if (out && vsnprintf(out, (size_t)size + 1, format, again) != size)
            out = NULL;
    }
    va_end(again);
    va_end(args);
    return out;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

bool arena_overflowed(const struct arena *arena)
{
    return arena->overflow;
}
