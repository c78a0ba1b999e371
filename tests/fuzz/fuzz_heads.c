/* Headers that the gateway reads, each ended by a NUL: keys, trace context, addresses that proxies name. */
#include "domain/address.h"
#include "domain/credentials.h"
#include "domain/mask.h"
#include "fuzz/check.h"

#define LINES_MAX 8

static void read_key(const char *authorization, const char *x_api_key, struct arena *arena)
{
    struct slice key = gw_key_text(authorization, x_api_key, arena);
    check(key.size == 0 || gw_key_plausible(key));
}

static void read_trace(const char *header)
{
    static const char random[] = "twenty-four random bytes", others[] = "twenty-four others, then";
    char trace[GW_TRACEPARENT_SIZE], again[GW_TRACEPARENT_SIZE];
    gw_traceparent(trace, header, (const uint8_t *)random);
    check(strlen(trace) == sizeof(trace) - 1 && trace[2] == '-' && trace[35] == '-');
    gw_traceparent(again, trace, (const uint8_t *)others);
    check(strcmp(trace, again) == 0);
}

static void read_addresses(const char *const *lines, unsigned n, struct arena *arena)
{
    uint8_t address[16], owner[16], cut[16];
    for (unsigned hops = 0; hops < 4; hops++) {
        struct slice text = gw_address_forwarded(lines, n, hops, "192.0.2.1");
        check(gw_address_parse(address, text) == 0);
        gw_address_owner(owner, address);
        struct slice shown = gw_address_cut(text, arena);
        check(shown.size == 0 || gw_address_parse(cut, shown) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    const char *lines[LINES_MAX] = {NULL};
    struct slice rest = slice_make(data, size);
    unsigned n = 0;
    if (!arena)
        arena = arena_create((size_t)1 << 20);
    arena_reset(arena);
    while (rest.size && n < LINES_MAX)
        lines[n++] = arena_str(arena, take_text(&rest));
    read_key(lines[0], lines[1], arena);
    read_trace(lines[0]);
    read_addresses(lines, n, arena);
    return 0;
}
