#pragma once
/*
 * privacy: what keeps a person's data unreadable, the same in every program that must hash, seal or open it.
 *
 *   identifiers   keyed hashes under the tenant's key, each kind in a name space of its own
 *   sealed parts  XChaCha20-Poly1305 under a subject's key, bound to tenant and subject, so that none can be passed off as
 *                 another's:   version 1 | nonce 24 | ciphertext with tag 16
 *   keys          of subjects: random, kept wrapped (sealed by the master key) in schema vault
 *
 * Pure but for privacy_master_load. Stable for ever: what was hashed or sealed stays so.
 */
#include "base.h"

/* ---- identifiers ---- */

#define PRIVACY_HASH_SIZE 16
#define PRIVACY_KINDS     "user, device, session, fingerprint, group"

/* The kind of that name, as a constant; NULL: there is none. */
const char *privacy_kind(struct slice name);
void privacy_hash(uint8_t out[PRIVACY_HASH_SIZE], const uint8_t key[32], const char *kind,
                  struct slice text);

/* ---- sealed parts ---- */

#define PRIVACY_SEAL_VERSION  1
#define PRIVACY_KEY_SIZE      32
#define PRIVACY_NONCE_SIZE    24
#define PRIVACY_SEAL_OVERHEAD (1 + PRIVACY_NONCE_SIZE + 16)

/* out: plain.size + PRIVACY_SEAL_OVERHEAD bytes. The nonce is random, and never used again. */
void privacy_seal(uint8_t *out, const uint8_t key[PRIVACY_KEY_SIZE], const uint8_t tenant[16],
                  const uint8_t subject[16], const uint8_t nonce[PRIVACY_NONCE_SIZE],
                  struct slice plain);
/* plain: sealed.size - PRIVACY_SEAL_OVERHEAD bytes. ERR_INVALID: not sealed under this key, or for another. */
int privacy_unseal(uint8_t *plain, const uint8_t key[PRIVACY_KEY_SIZE], const uint8_t tenant[16],
                   const uint8_t subject[16], struct slice sealed) MUST_CHECK;

/* The subject of what is sealed whole on the day of `time_us` (UTC), because nobody knows whose it is. */
void privacy_day(uint8_t subject[16], int64_t time_us);

/* ---- keys ---- */

#define PRIVACY_WRAPPED_SIZE (PRIVACY_KEY_SIZE + PRIVACY_SEAL_OVERHEAD)

void privacy_wrap(uint8_t out[PRIVACY_WRAPPED_SIZE], const uint8_t master[PRIVACY_KEY_SIZE],
                  const uint8_t tenant[16], const uint8_t subject[16],
                  const uint8_t nonce[PRIVACY_NONCE_SIZE], const uint8_t key[PRIVACY_KEY_SIZE]);
/* ERR_INVALID: wrapped by another master key, or another subject's. */
int privacy_unwrap(uint8_t key[PRIVACY_KEY_SIZE], const uint8_t master[PRIVACY_KEY_SIZE],
                   const uint8_t tenant[16], const uint8_t subject[16],
                   struct slice wrapped) MUST_CHECK;
/* Overwrites a secret, whatever the compiler thinks of it. */
void privacy_wipe(void *secret, size_t size);

/* The master key: `text`, 64 hex digits (JOURNEY_MASTER_KEY); else the content of the file `path` (JOURNEY_MASTER_KEY_FILE).
 * Empty or NULL: not given. The error says what to set. */
int privacy_master_load(uint8_t master[PRIVACY_KEY_SIZE], const char *text, const char *path,
                        struct err *err) MUST_CHECK;
