#include "seal.h"

#include <sodium.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(1 + NONCE_SIZE + TAG_SIZE == GW_SEAL_OVERHEAD, "the layout is for ever");
_Static_assert(GW_SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "so are keys");

#define BOUND_SIZE 33 /* what is authenticated beside the text: version, tenant, subject */

static void bind(uint8_t bound[BOUND_SIZE], const uint8_t tenant[16], const uint8_t subject[16])
{
    bound[0] = GW_SEAL_VERSION;
    memcpy(bound + 1, tenant, 16);
    memcpy(bound + 17, subject, 16);
}

struct slice gw_seal(const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
                     const uint8_t subject[16], const uint8_t nonce[24], struct slice plain,
                     struct arena *arena)
{
    uint8_t bound[BOUND_SIZE], *out = arena_alloc(arena, plain.size + GW_SEAL_OVERHEAD);
    if (!out)
        return slice_make(NULL, 0);
    bind(bound, tenant, subject);
    out[0] = GW_SEAL_VERSION;
    memcpy(out + 1, nonce, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + 1 + NONCE_SIZE, NULL, plain.data, plain.size, bound, sizeof(bound), NULL, nonce, key);
    return slice_make(out, plain.size + GW_SEAL_OVERHEAD);
}

int gw_unseal(struct slice *plain, const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
              const uint8_t subject[16], struct slice sealed, struct arena *arena)
{
    uint8_t bound[BOUND_SIZE];
    if (sealed.size < GW_SEAL_OVERHEAD || sealed.data[0] != GW_SEAL_VERSION)
        return ERR_INVALID;
    uint8_t *out = arena_alloc(arena, sealed.size - GW_SEAL_OVERHEAD + 1);
    if (!out)
        return ERR_NO_MEMORY;
    bind(bound, tenant, subject);
    const uint8_t *nonce = sealed.data + 1, *text = nonce + NONCE_SIZE;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, text,
                                                   sealed.size - 1 - NONCE_SIZE, bound,
                                                   sizeof(bound), nonce, key) != 0)
        return ERR_INVALID;
    *plain = slice_make(out, sealed.size - GW_SEAL_OVERHEAD);
    return 0;
}
