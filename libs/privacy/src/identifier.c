#include "privacy.h"

static const char *const kinds[] = {"user", "device", "session", "fingerprint", "group"};

const char *privacy_kind(struct slice name)
{
    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++)
        if (slice_equal_str(name, kinds[k]))
            return kinds[k];
    return NULL;
}

void privacy_hash(uint8_t out[PRIVACY_HASH_SIZE], const uint8_t key[32], const char *kind,
                  struct slice text)
{
    struct slice parts[] = {slice_str(kind), text};
    hash_keyed(out, key, parts, ARRAY_SIZE(parts));
}
