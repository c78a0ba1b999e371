#include "seal.h"

struct slice gw_seal(const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
                     const uint8_t subject[16], const uint8_t nonce[24], struct slice plain,
                     struct arena *arena)
{
    uint8_t *out = arena_alloc(arena, plain.size + PRIVACY_SEAL_OVERHEAD);
    if (!out)
        return slice_make(NULL, 0);
    privacy_seal(out, key, tenant, subject, nonce, plain);
    return slice_make(out, plain.size + PRIVACY_SEAL_OVERHEAD);
}

int gw_unseal(struct slice *plain, const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
              const uint8_t subject[16], struct slice sealed, struct arena *arena)
{
    if (sealed.size < PRIVACY_SEAL_OVERHEAD)
        return ERR_INVALID;
    size_t size = sealed.size - PRIVACY_SEAL_OVERHEAD;
    uint8_t *out = arena_alloc(arena, size + 1);
    if (!out)
        return ERR_NO_MEMORY;
    int r = privacy_unseal(out, key, tenant, subject, sealed);
    if (r >= 0)
        *plain = slice_make(out, size);
    return r;
}
