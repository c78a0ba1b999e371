#pragma once
/* Texts from outside, made fit for a column: well-formed, without NUL, cut by characters. */
#include "base.h"

/*
 * At most max characters of text: NULs are left out, bytes that are not UTF-8 become U+FFFD.
 * Text that is fit already is returned as it is, so it must live as long as the arena. Never NULL:
 * "" when text is, or when the arena overflowed.
 */
const char *text_cut(struct arena *arena, const char *text, size_t max);
const char *text_cut_slice(struct arena *arena, struct slice text, size_t max); /* copies */

/*
 * "Product Viewed", "productViewed", "PRODUCT-viewed" -> "product_viewed", at most max characters.
 * Letters beyond ASCII stay as they are. Empty when the name holds neither letter nor digit.
 */
const char *text_snake(struct arena *arena, const char *name, size_t max);
