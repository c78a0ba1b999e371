/*
 * Any bytes as a text and, where they are one, as a JSON value. What was masked holds nothing that masking again would
 * find; JSON stays JSON, UTF-8 stays UTF-8. First byte: with an allow-list or not.
 */
#include "domain/mask.h"
#include "fuzz/check.h"

static struct gw_masker *masker;
static struct arena *arena;

static void check_found(const struct gw_masked *masked, struct slice before)
{
    unsigned n = 0;
    for (unsigned i = 0; i < GW_PERSONAL_COUNT; i++)
        n += masked->found[i];
    check(masked->changed == (n > 0));
    check(masked->changed || masked->json.data == before.data);
}

static void mask_text(struct slice text)
{
    struct gw_masked masked, again;
    if (gw_mask_text(masker, text, &masked, arena) < 0) {
        check(arena_overflowed(arena));
        return;
    }
    check_found(&masked, text);
    check(!utf8_valid(text) || utf8_valid(masked.json));
    if (gw_mask_text(masker, masked.json, &again, arena) >= 0)
        check(!again.changed);
}

static void mask_json(struct slice json, struct slice allowed)
{
    struct gw_masked masked, again;
    struct json_reader r = json_reader_make(json, NULL);
    struct slice whole;
    if (json_reader_value(&r, &whole) < 0 || !json_reader_done(&r))
        return;
    if (gw_mask_json(masker, json, allowed, &masked, arena) < 0) {
        check(arena_overflowed(arena));
        return;
    }
    check_found(&masked, json);
    check_json(masked.json);
    if (gw_mask_json(masker, masked.json, allowed, &again, arena) >= 0)
        check(!again.changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slice lists[] = {{NULL, 0}, SLICE_LITERAL("order_email,a.b,phone")};
    unsigned list = take_byte(&data, &size) % ARRAY_SIZE(lists);
    if (!masker) {
        check(gw_masker_create(&masker, NULL) >= 0);
        arena = arena_create((size_t)64 << 20);
    }
    arena_reset(arena);
    mask_text(slice_make(data, size));
    mask_json(slice_make(data, size), lists[list]);
    return 0;
}
