/* What a commits row remembers of a partition comes back whole, whatever producers there were and whichever release wrote it. */
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "internal.h"

enum {
    PARTITIONS = 40,
    PRODUCERS = 200
};

static const struct stream_input inputs[] = {{.topic = TOPIC_TEMPLATE_COMMANDS},
                                             {.topic = TOPIC_EVENTS}};
static const struct stream_service older = {.name = "older", .inputs = inputs, .n_inputs = 1},
                                   newer = {.name = "newer", .inputs = inputs, .n_inputs = 2};

struct release {
    struct stream stream;
    struct part part;
};

static struct release *release_create(const struct stream_service *service)
{
    struct release *r = calloc(1, sizeof(*r));
    r->stream.service = service;
    r->stream.n_parts = PARTITIONS;
    r->part.dests = calloc((size_t)2 * TOPIC_COUNT * PARTITIONS, sizeof(*r->part.dests));
    return r;
}

static void release_destroy(struct release *r)
{
    position_forget(&r->stream, &r->part);
    buf_deinit(&r->stream.scratch);
    free(r->part.dests);
    free(r);
}

static struct slice producer(char text[64], unsigned i)
{
    (void)snprintf(text, 64, "p.1/%u", i);
    return slice_str(text);
}

/* So many that every bucket has several, and names that begin others: p.1/1, p.1/10, p.1/100. */
static void fill(struct release *r)
{
    char text[64];
    for (unsigned input = 0; input < r->stream.service->n_inputs; input++) {
        r->part.inputs[input] = (struct position_input){
            .known = true, .strict = input, .next = 1000 + input, .check = 7 + input, .stalls = 3};
        for (unsigned i = 1 + input; i < PRODUCERS; i += 1 + input) {
            struct watermark *w = position_watermark(&r->part, input, producer(text, i), true);
            assert_non_null(w);
            assert_int_equal(w->number, 0); /* nobody else's */
            w->number = input * 1000 + i;
        }
    }
    for (uint32_t d = 0; d < 2 * TOPIC_COUNT * PARTITIONS; d += 3)
        r->part.dests[d].number = d + 1;
}

static void check(struct release *r)
{
    char text[64];
    for (unsigned input = 0; input < r->stream.service->n_inputs; input++) {
        const struct position_input *in = &r->part.inputs[input];
        assert_true(in->known && in->strict == (input > 0) && in->verify);
        assert_int_equal(in->next, 1000 + input);
        assert_int_equal(in->check, 7 + input);
        for (unsigned i = 0; i <= PRODUCERS; i++) {
            bool there = i && i < PRODUCERS && (input == 0 || i % 2 == 0);
            const struct watermark *w =
                position_watermark(&r->part, input, producer(text, i), false);
            assert_int_equal(w != NULL, there);
            if (w)
                assert_int_equal(w->number, input * 1000 + i);
        }
    }
    for (uint32_t d = 0; d < 2 * TOPIC_COUNT * PARTITIONS; d++)
        assert_int_equal(r->part.dests[d].number, d % 3 ? 0 : d + 1);
}

/* As a commit of the one and a take-over of the other. */
static void hand_over(struct release *from, struct release *to, int32_t tries)
{
    struct arena *arena = arena_create(1 << 20);
    struct store_position row = {0};
    struct err err = {0};
    from->part.id = 3;
    from->part.epoch = 9;
    position_encode(&from->stream, &from->part, arena, &row);
    assert_int_equal(row.part, 3);
    assert_int_equal(row.epoch, 9);
    assert_int_equal(row.tries, 0);
    row.n = 77;
    row.tries = tries;
    assert_int_equal(position_decode(&to->stream, &to->part, &row, &err), 0);
    assert_int_equal(to->part.n, 77);
    assert_int_equal(to->part.epoch, 9);
    arena_destroy(&arena);
}

static void row_comes_back_whole(void **state)
{
    struct release *a = release_create(&newer), *b = release_create(&newer);
    fill(a);
    hand_over(a, b, 0);
    check(b);
    release_destroy(a);
    release_destroy(b);
}

/* Rolled back and upgraded again: what the older one does not read is what it was. */
static void older_release_keeps_what_it_does_not_know(void **state)
{
    struct release *a = release_create(&newer), *old = release_create(&older),
                   *b = release_create(&newer);
    fill(a);
    hand_over(a, old, 0);
    hand_over(old, b, 0);
    check(b);
    release_destroy(a);
    release_destroy(old);
    release_destroy(b);
}

/* However long its topics' names are. */
static void names_of_any_length_are_kept(void **state)
{
    for (size_t size = 1; size < 600; size += 37) {
        struct release *a = release_create(&newer);
        struct arena *arena = arena_create(1 << 20);
        struct store_position row = {0}, again = {0};
        struct err err = {0};
        struct buf numbers = {0};
        uint8_t name[600];
        memset(name, 'x', sizeof(name));
        buf_append_bytes(&numbers, slice_make(name, size));
        buf_append_varint(&numbers, 1);
        buf_append_varint(&numbers, 0);
        buf_append_varint(&numbers, 5);
        row.numbers = buf_slice(&numbers);
        assert_int_equal(position_decode(&a->stream, &a->part, &row, &err), 0);
        position_encode(&a->stream, &a->part, arena, &again);
        assert_true(slice_equal(again.numbers, row.numbers));
        buf_deinit(&numbers);
        arena_destroy(&arena);
        release_destroy(a);
    }
}

/* Of an input that moved nothing is feared; the others' take-overs add up, with those of the row. */
static void stalls_add_up_until_the_input_moves(void **state)
{
    struct release *a = release_create(&newer), *b = release_create(&newer);
    fill(a);
    a->part.inputs[1].moved = true;
    hand_over(a, b, 2);
    assert_int_equal(b->part.inputs[0].stalls, 5);
    assert_int_equal(b->part.inputs[1].stalls, 2);
    assert_int_equal(b->part.inputs[2].stalls, 2); /* the timers */
    assert_false(b->part.inputs[0].moved || b->part.inputs[1].moved);
    release_destroy(a);
    release_destroy(b);
}

/* Every prefix of a row that is none by itself is refused, and leaves nothing that cannot be forgotten. */
static void cut_row_is_refused(void **state)
{
    struct release *a = release_create(&newer);
    struct arena *arena = arena_create(1 << 20);
    struct store_position row = {0};
    struct err err = {0};
    fill(a);
    position_encode(&a->stream, &a->part, arena, &row);
    struct slice *const fields[] = {&row.offsets, &row.numbers, &row.watermarks};
    for (unsigned f = 0; f < ARRAY_SIZE(fields); f++) {
        struct slice whole = *fields[f];
        unsigned refused = 0;
        for (size_t size = 0; size < whole.size; size += 1 + whole.size / 100) {
            struct release *b = release_create(&newer);
            *fields[f] = slice_make(whole.data, size);
            refused += position_decode(&b->stream, &b->part, &row, &err) != 0;
            release_destroy(b);
        }
        assert_in_range(refused, 1, 101);
        *fields[f] = whole;
    }
    arena_destroy(&arena);
    release_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_comes_back_whole),
        cmocka_unit_test(older_release_keeps_what_it_does_not_know),
        cmocka_unit_test(names_of_any_length_are_kept),
        cmocka_unit_test(stalls_add_up_until_the_input_moves),
        cmocka_unit_test(cut_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
