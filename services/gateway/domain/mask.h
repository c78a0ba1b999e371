#pragma once
/*
 * Personal data in what clients send as free values: e-mail addresses, phone numbers, payment cards (Luhn), IBANs,
 * national ids and network addresses in any text, and the values of members whose names say what they hold ("email",
 * "first_name", "street" ...). Each is replaced by a mark, "[email]"; all else stays byte for byte.
 *
 * Most values hold nothing of it, so a value is looked at closely only where a byte makes a finding possible (an at
 * sign, enough digits). Escapes and percent-encoding hide nothing: they are decoded before they are looked at.
 */
#include "base.h"

/* GW_PERSONAL(id, "mark") */
#define GW_PERSONAL_TABLE(PERSONAL)                                                                \
    PERSONAL(EMAIL, "[email]")                                                                     \
    PERSONAL(PHONE, "[phone]")                                                                     \
    PERSONAL(CARD, "[card]")                                                                       \
    PERSONAL(IBAN, "[iban]")                                                                       \
    PERSONAL(NATIONAL_ID, "[national_id]")                                                         \
    PERSONAL(ADDRESS, "[address]") /* of a network or a house */                                   \
    PERSONAL(NAMED, "[personal]")  /* by the member's name alone */

enum gw_personal {
#define GW_PERSONAL_ENUM(id, ...) GW_PERSONAL_##id,
    GW_PERSONAL_TABLE(GW_PERSONAL_ENUM)
#undef GW_PERSONAL_ENUM
    GW_PERSONAL_COUNT
};

struct gw_masker; /* compiled patterns: made once, used by one thread */
int gw_masker_create(struct gw_masker **masker, struct err *err) MUST_CHECK;
void gw_masker_destroy(struct gw_masker **masker);

struct gw_masked {
    struct slice json; /* as it came, or a copy in the arena with marks */
    unsigned found[GW_PERSONAL_COUNT];
    bool changed;
};

/*
 * `json` is one valid JSON value of at most a body's size. `allowed`: members of the tenant's allow-list, whose values stay as they are
 * ("order_email,shipping.phone": a name at any depth, or a dotted path from the top). A pattern that reaches its
 * match limit counts as found: the whole text becomes its mark. ERR_NO_MEMORY: the arena is full.
 */
int gw_mask_json(struct gw_masker *masker, struct slice json, struct slice allowed,
                 struct gw_masked *out, struct arena *arena) MUST_CHECK;
/* The same for a text that is no JSON (an event's name, a page's address). */
int gw_mask_text(struct gw_masker *masker, struct slice text, struct gw_masked *out,
                 struct arena *arena) MUST_CHECK;
/* An address without its last part: "203.0.113.0", "2001:db8:1::" (of IPv6 the first 48 bits stay); empty: it is none. */
struct slice gw_address_cut(struct slice address, struct arena *arena);
