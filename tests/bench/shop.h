#pragma once
/* What visitors of the benchmark's shop do: texts of an event, the same for the load generator and for imports. */
#include "base.h"

#define SHOP_PRODUCTS 100000
#define SHOP_AGENT                                                                                 \
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "             \
    "Chrome/126.0.0.0 Mobile Safari/537.36"

const char *shop_event(uint64_t random); /* an event's name */
/* What events hold beside a shop's own facts: bits. */
enum shop_extra {
    SHOP_PERSONAL =
        1, /* an e-mail address among the properties, and traits: what is masked and sealed */
    SHOP_CONSENT = 2, /* what the visitor has agreed to */
};
/* JSON objects; product: below SHOP_PRODUCTS; extras: of enum shop_extra. */
void shop_properties(struct buf *text, unsigned product, unsigned extras);
void shop_context(struct buf *text, unsigned product, unsigned extras);
