#pragma once
/*
 * Sealing: XChaCha20-Poly1305 (libsodium) under a subject's key, bound to tenant and subject, so that a sealed part
 * cannot be passed off as another's.   layout: version 1 | nonce 24 | ciphertext with tag 16
 */
#include "base.h"

#define GW_SEAL_VERSION  1
#define GW_SEAL_KEY_SIZE 32
#define GW_SEAL_OVERHEAD (1 + 24 + 16)

/* Empty: the arena is full. */
struct slice gw_seal(const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
                     const uint8_t subject[16], const uint8_t nonce[24], struct slice plain,
                     struct arena *arena);
/* ERR_INVALID: it is not sealed under this key, or for another; ERR_NO_MEMORY. */
int gw_unseal(struct slice *plain, const uint8_t key[GW_SEAL_KEY_SIZE], const uint8_t tenant[16],
              const uint8_t subject[16], struct slice sealed, struct arena *arena) MUST_CHECK;
