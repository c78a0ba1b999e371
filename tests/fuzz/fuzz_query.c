/*
 * Any bytes as what stands behind a method: path and query. Decoding makes nothing longer and reads the same however it
 * is asked for; a query becomes a JSON object.
 */
#include "domain/query.h"
#include "fuzz/check.h"
#include "http.h"
#include "routes.h"

static void read_query(struct slice query, struct arena *arena)
{
    struct slice rest = query, name, value, object = gw_query_object(query, arena);
    size_t left = query.size;
    unsigned n = 0;
    while (gw_query_next(&rest, &name, &value, arena)) {
        check(rest.size < left && name.size + value.size <= left - rest.size);
        left = rest.size;
        n++;
    }
    check(rest.size == 0);
    check(object.size > 0);
    check_object(object);
    check(n > 0 || slice_equal_str(object, "{}"));
}

static void read_path(struct slice path, struct arena *arena)
{
    for (int method = HTTP_GET; method <= HTTP_PATCH; method *= 2) {
        struct slice parameters[2] = {{NULL, 0}, {NULL, 0}};
        unsigned allowed = 0;
        bool browser = false;
        const struct route *route =
            route_find((enum http_method)method, path, arena, parameters, &allowed, &browser);
        check(!route || route->method == (enum http_method)method || method == HTTP_HEAD);
        for (unsigned i = 0; i < 2; i++)
            check(parameters[i].size <= path.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    const uint8_t *mark = size ? memchr(data, '?', size) : NULL;
    size_t path = mark ? (size_t)(mark - data) : size;
    struct slice query = mark ? slice_make(mark + 1, size - path - 1) : slice_make(data, size);
    if (!arena)
        arena = arena_create((size_t)16 << 20);
    arena_reset(arena);
    read_path(slice_make(data, path), arena);
    read_query(query, arena);
    (void)http_query_get(query, "after", arena);
    for (int plus = 0; plus < 2; plus++)
        check(gw_percent_decode(query, plus, arena).size <= query.size);
    return 0;
}
