/*
 * A record of a dead-letter topic, made of texts each ended by a NUL: id, key, value, then names and values of headers. First
 * byte: which topic.
 */
#include "fuzz/check.h"
#include "letters.h"
#include "topics.h"

static void read_id(struct slice text)
{
    struct letter letter = {.tenant = {{0}}}, again = letter;
    char id[LETTER_ID_SIZE];
    if (letter_id_parse(&letter, text) < 0)
        return;
    letter_id(id, &letter);
    check(letter_id_parse(&again, slice_str(id)) == 0 && again.topic == letter.topic &&
          again.partition == letter.partition && again.offset == letter.offset &&
          again.time_us == letter.time_us);
}

static void read_record(const struct bus_record *record, struct arena *arena)
{
    struct letter letter;
    struct bus_message message;
    struct bus_header headers[BUS_MAX_HEADERS];
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    letter_of_record(&letter, record, arena);
    json_begin_object(&w);
    letter_write(&w, &letter);
    letter_write_content(&w, record, letter_sealed(record), arena);
    json_end_object(&w);
    if (!arena_overflowed(arena))
        check_object(buf_slice(&out));
    if (letter_is_raw(&letter))
        return;
    letter_send_back(&message, headers, record, 1, arena);
    check(message.n_headers <= BUS_MAX_HEADERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct bus_record record = {.topic = 0};
    if (!arena)
        arena = arena_create((size_t)64 << 20);
    arena_reset(arena);
    record.topic = topic_dlq((int)(take_byte(&data, &size) % TOPIC_COUNT));
    struct slice rest = slice_make(data, size);
    read_id(take_text(&rest));
    record.key = take_text(&rest);
    record.value = take_text(&rest);
    while (rest.size && record.n_headers < BUS_MAX_HEADERS) {
        const char *name = arena_str(arena, take_text(&rest));
        record.headers[record.n_headers++] = (struct bus_header){name, take_text(&rest)};
    }
    read_record(&record, arena);
    return 0;
}
