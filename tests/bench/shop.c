#include "shop.h"

static const char *const names[] = {"Product Viewed", "Product List Viewed", "Product Clicked",
                                    "Products Searched", "Product Added"};

const char *shop_event(uint64_t random)
{
    return names[random % ARRAY_SIZE(names)];
}

void shop_properties(struct buf *text, unsigned product)
{
    buf_printf(
        text,
        "{\"product_id\":\"p-%05u\",\"name\":\"Product number %05u\",\"brand\":\"Brand %u\","
        "\"category\":\"category-%u\",\"price\":%u.%02u,\"currency\":\"EUR\",\"quantity\":1}",
        product, product, product % 90, product % 40, product % 300, product % 100);
}

void shop_context(struct buf *text, unsigned product)
{
    buf_printf(
        text,
        "{\"page\":{\"url\":\"https://shop.example/products/%05u\",\"path\":\"/products/%05u\","
        "\"title\":\"Product number %05u\",\"referrer\":\"\"},\"userAgent\":\"" SHOP_AGENT
        "\",\"locale\":\"en-GB\"}",
        product, product, product);
}
