#include "shop.h"

/* In a hundred events, as in a recorded shop's clickstream (retentioneering_ecom): one in 23 adds to the cart. */
static const struct {
    const char *name;
    unsigned share;
} events[] = {
    {"Product Viewed", 33},    {"Product List Viewed", 31}, {"Products Searched", 19},
    {"Products Filtered", 13}, {"Product Added", 4},
};

const char *shop_event(uint64_t random)
{
    unsigned i = 0;
    for (unsigned at = (unsigned)(random % 100); at >= events[i].share; i++)
        at -= events[i].share;
    return events[i].name;
}

void shop_properties(struct buf *text, unsigned product, unsigned extras)
{
    buf_printf(text,
               "{\"product_id\":\"p-%05u\",\"name\":\"Product number %05u\",\"brand\":\"Brand %u\","
               "\"category\":\"category-%u\",\"price\":%u.%02u,\"currency\":\"EUR\",\"quantity\":1",
               product, product, product % 90, product % 40, product % 300, product % 100);
    if (extras & SHOP_PERSONAL)
        buf_printf(text, ",\"note\":\"for visitor%u@mail.example\"", product);
    buf_append_byte(text, '}');
}

void shop_context(struct buf *text, unsigned product, unsigned extras)
{
    buf_printf(
        text,
        "{\"page\":{\"url\":\"https://shop.example/products/%05u\",\"path\":\"/products/%05u\","
        "\"title\":\"Product number %05u\",\"referrer\":\"\"},\"userAgent\":\"" SHOP_AGENT
        "\",\"locale\":\"en-GB\"",
        product, product, product);
    if (extras & SHOP_PERSONAL)
        buf_append_str(text,
                       ",\"traits\":{\"name\":\"Maria Example\",\"phone\":\"+49 170 1234567\"}");
    if (extras & SHOP_CONSENT)
        buf_append_str(
            text,
            ",\"consent\":{\"categoryPreferences\":{\"analytics\":true,\"marketing\":false}}");
    buf_append_byte(text, '}');
}
