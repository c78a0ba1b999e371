#pragma once
/* Sealing into and out of an arena; what it is: privacy.h. */
#include "privacy.h"

#define GW_SEAL_KEY_SIZE PRIVACY_KEY_SIZE

/* Empty: the arena is full. */
struct slice gw_seal(const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
                     const uint8_t subject[16], const uint8_t nonce[24], struct slice plain,
                     struct arena *arena);
/* ERR_INVALID: it is not sealed under this key, or for another; ERR_NO_MEMORY. */
int gw_unseal(struct slice *plain, const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
              const uint8_t subject[16], struct slice sealed, struct arena *arena) MUST_CHECK;
