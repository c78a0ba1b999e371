/* Hot states in memory against a plain model: whatever is done to them, in any order. */
#include <stdlib.h>

#include "test.h"

#include "internal.h"

enum {
    STATES = 24,
    SUBS = 12,
    PARTS = 3, /* partitions */
    OPERATIONS = 20000
};

struct model {
    int32_t part;
    unsigned pins;
    bool there; /* in memory */
    uint64_t used;
    char bytes[200];
    size_t size;
    struct {
        bool there, changed;
        char data[40];
        size_t size;
    } subs[SUBS];
};

static struct random dice = {.state = 5};
static struct model models[STATES];
static struct entry *entries[STATES];
static uint64_t uses;

static uint64_t below(uint64_t n)
{
    return random_next(&dice) % n;
}

/* Ids that begin each other, of two tenants and kinds. */
static struct entry *get(struct cache *cache, unsigned i)
{
    static const char text[] = "aaaaaaaaaaaa";
    struct stream_key key = {.tenant = {(uint8_t)(i % 2)}, .id = slice_make(text, 1 + i / 4)};
    return cache_get(cache, i / 2 % 2, models[i].part, &key);
}

static size_t fill(char *out, size_t most)
{
    size_t size = below(most + 1);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)below(256);
    return size;
}

static void check_entry(const struct entry *e, const struct model *m)
{
    unsigned n = 0;
    assert_int_equal(e->size, m->size);
    assert_memory_equal(e->bytes ? e->bytes : (const uint8_t *)"", m->bytes, m->size);
    assert_int_equal(e->pins, m->pins);
    for (unsigned sub = 0; sub < SUBS; sub++) {
        if (!m->subs[sub].there)
            continue;
        assert_in_range(n, 0, e->n_parts - 1);
        assert_int_equal(e->parts[n].sub, sub);
        assert_true(
            slice_equal(e->parts[n].data, slice_make(m->subs[sub].data, m->subs[sub].size)));
        assert_int_equal(e->parts_changed[n], m->subs[sub].changed);
        n++;
    }
    assert_int_equal(e->n_parts, n);
}

static void check_all(const struct cache *cache)
{
    size_t n = 0, bytes = 0;
    for (unsigned i = 0; i < STATES; i++) {
        if (!models[i].there)
            continue;
        check_entry(entries[i], &models[i]);
        bytes += entry_bytes(entries[i]);
        n++;
    }
    assert_int_equal(cache->n_entries, n);
    assert_int_equal(cache->bytes, bytes);
    uint64_t used = UINT64_MAX;
    size_t listed = 0;
    for (const struct entry *e = cache->newest; e; e = e->older, listed++) {
        unsigned i = 0;
        while (entries[i] != e || !models[i].there)
            i++;
        assert_true(models[i].used < used);
        used = models[i].used;
    }
    assert_int_equal(listed, n);
}

static void use(struct cache *cache, unsigned i)
{
    struct model *m = &models[i];
    uint64_t misses = cache->misses;
    if (!m->there)
        *m = (struct model){.part = (int32_t)below(PARTS), .there = true};
    struct entry *e = get(cache, i);
    assert_non_null(e);
    if (cache->misses == misses)
        assert_ptr_equal(e, entries[i]);
    entries[i] = e;
    e->loaded = true;
    m->used = ++uses;
    check_entry(e, m);
}

static void set_sub(struct cache *cache, unsigned i)
{
    struct model *m = &models[i];
    unsigned sub = (unsigned)below(SUBS);
    bool changed = below(3) == 0;
    m->subs[sub].size = fill(m->subs[sub].data, sizeof(m->subs[sub].data));
    m->subs[sub].there = true;
    m->subs[sub].changed = m->subs[sub].changed || changed;
    assert_int_equal(entry_set_part(cache, entries[i], sub,
                                    slice_make(m->subs[sub].data, m->subs[sub].size), changed),
                     0);
}

/* Those behind one that is still to be written stay, too: it is let go the next time. */
static void expire(struct cache *cache, unsigned i)
{
    struct model *m = &models[i];
    unsigned after = (unsigned)below(SUBS);
    entry_expire_parts(cache, entries[i], after);
    for (unsigned sub = 0; sub <= after && !(m->subs[sub].there && m->subs[sub].changed); sub++)
        m->subs[sub].there = false;
}

static void written(unsigned i)
{
    for (unsigned sub = 0; sub < SUBS; sub++)
        models[i].subs[sub].changed = false;
    for (unsigned p = 0; p < entries[i]->n_parts; p++)
        entries[i]->parts_changed[p] = false;
}

/* The least recently used that nobody pins, until it fits. */
static void trim(struct cache *cache)
{
    size_t bytes = cache->bytes;
    for (;;) {
        unsigned oldest = STATES;
        for (unsigned i = 0; i < STATES; i++)
            if (models[i].there && !models[i].pins &&
                (oldest == STATES || models[i].used < models[oldest].used))
                oldest = i;
        if (bytes <= cache->limit || oldest == STATES)
            break;
        bytes -= entry_bytes(entries[oldest]);
        models[oldest].there = false;
    }
    cache_trim(cache);
}

static void drop_part(struct cache *cache)
{
    int32_t part = (int32_t)below(PARTS);
    for (unsigned i = 0; i < STATES; i++) {
        if (!models[i].there || models[i].part != part)
            continue;
        models[i].there = false;
        for (; models[i].pins > 1; models[i].pins--)
            cache_unpin(cache, entries[i]);
    }
    cache_drop_part(cache, part);
    for (unsigned i = 0; i < STATES; i++) {
        if (models[i].there || !models[i].pins)
            continue;
        /* a batch still holds it, and may change it; it counts no more */
        assert_int_equal(entries[i]->part, -1);
        assert_int_equal(entry_set_part(cache, entries[i], 1, SLICE_LITERAL("late"), true), 0);
        assert_int_equal(entry_set_bytes(cache, entries[i], SLICE_LITERAL("late")), 0);
        entry_expire_parts(cache, entries[i], 0);
        cache_unpin(cache, entries[i]);
        models[i].pins = 0;
    }
}

static void any_operation_does_what_the_model_does(void **state)
{
    struct cache cache;
    assert_int_equal(cache_init(&cache, 6000), 0);
    for (unsigned n = 0; n < OPERATIONS; n++) {
        unsigned i = (unsigned)below(STATES), what = (unsigned)below(100);
        struct model *m = &models[i];
        if (what < 2) {
            drop_part(&cache);
        } else if (what < 6) {
            trim(&cache);
        } else if (what < 30 || !m->there) {
            use(&cache, i);
        } else if (what < 40) {
            m->pins++;
            entries[i]->pins++;
        } else if (what < 52) {
            if (m->pins) {
                m->pins--;
                cache_unpin(&cache, entries[i]);
            }
        } else if (what < 60) {
            m->size = fill(m->bytes, sizeof(m->bytes));
            assert_int_equal(entry_set_bytes(&cache, entries[i], slice_make(m->bytes, m->size)), 0);
        } else if (what < 85) {
            set_sub(&cache, i);
        } else if (what < 92) {
            expire(&cache, i);
        } else {
            written(i);
        }
        check_all(&cache);
    }
    assert_true(cache.hits > OPERATIONS / 20 && cache.misses > OPERATIONS / 100);
    cache_deinit(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_operation_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
