#include "privacy.h"

#include <sodium.h>

_Static_assert(PRIVACY_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   PRIVACY_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   PRIVACY_SEAL_OVERHEAD ==
                       1 + PRIVACY_NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "the layout is for ever");

#define BOUND_SIZE 33 /* what is authenticated beside the text: version, tenant, subject */

static void bind_to(uint8_t bound[BOUND_SIZE], const uint8_t tenant[16], const uint8_t subject[16])
{
    bound[0] = PRIVACY_SEAL_VERSION;
    memcpy(bound + 1, tenant, 16);
    memcpy(bound + 17, subject, 16);
}

void privacy_seal(uint8_t *out, const uint8_t key[PRIVACY_KEY_SIZE], const uint8_t tenant[16],
                  const uint8_t subject[16], const uint8_t nonce[PRIVACY_NONCE_SIZE],
                  struct slice plain)
{
    uint8_t bound[BOUND_SIZE];
    bind_to(bound, tenant, subject);
    out[0] = PRIVACY_SEAL_VERSION;
    memcpy(out + 1, nonce, PRIVACY_NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + PRIVACY_NONCE_SIZE, NULL, plain.data,
                                                     plain.size, bound, sizeof(bound), NULL, nonce,
                                                     key);
}

int privacy_unseal(uint8_t *plain, const uint8_t key[PRIVACY_KEY_SIZE], const uint8_t tenant[16],
                   const uint8_t subject[16], struct slice sealed)
{
    uint8_t bound[BOUND_SIZE];
    if (sealed.size < PRIVACY_SEAL_OVERHEAD || sealed.data[0] != PRIVACY_SEAL_VERSION)
        return ERR_INVALID;
    const uint8_t *nonce = sealed.data + 1, *text = nonce + PRIVACY_NONCE_SIZE;
    bind_to(bound, tenant, subject);
    int r = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, text,
                                                       sealed.size - 1 - PRIVACY_NONCE_SIZE, bound,
                                                       sizeof(bound), nonce, key);
    return r == 0 ? 0 : ERR_INVALID;
}

void privacy_wrap(uint8_t out[PRIVACY_WRAPPED_SIZE], const uint8_t master[PRIVACY_KEY_SIZE],
                  const uint8_t tenant[16], const uint8_t subject[16],
                  const uint8_t nonce[PRIVACY_NONCE_SIZE], const uint8_t key[PRIVACY_KEY_SIZE])
{
    privacy_seal(out, master, tenant, subject, nonce, slice_make(key, PRIVACY_KEY_SIZE));
}

int privacy_unwrap(uint8_t key[PRIVACY_KEY_SIZE], const uint8_t master[PRIVACY_KEY_SIZE],
                   const uint8_t tenant[16], const uint8_t subject[16], struct slice wrapped)
{
    if (wrapped.size != PRIVACY_WRAPPED_SIZE)
        return ERR_INVALID;
    return privacy_unseal(key, master, tenant, subject, wrapped);
}

void privacy_wipe(void *secret, size_t size)
{
    sodium_memzero(secret, size);
}

void privacy_day(uint8_t subject[16], int64_t time_us)
{
    char day[TIME_TEXT_SIZE];
    time_format(day, time_us);
    struct slice parts[] = {SLICE_LITERAL("day"), slice_make(day, strlen("2026-01-02"))};
    hash_keyed(subject, NULL, parts, ARRAY_SIZE(parts));
}
