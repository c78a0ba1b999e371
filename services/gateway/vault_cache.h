#pragma once
/*
 * Keys of subjects in memory: at most so many, each for at most a minute, wiped when it goes. A place that is taken by
 * another subject is given up: the table never grows.
 */
#include "privacy.h"

struct vault_cache;
/* entries: rounded up to a power of two. */
struct vault_cache *vault_cache_create(unsigned entries, int64_t keep_us);
void vault_cache_destroy(struct vault_cache **cache);
/* false: not there; *erased: it is known that there is no key and will never be one. */
bool vault_cache_get(struct vault_cache *cache, const uint8_t tenant[16], const uint8_t subject[16],
                     int64_t now_us, uint8_t key[PRIVACY_KEY_SIZE], bool *erased);
/* key NULL: erased. */
void vault_cache_put(struct vault_cache *cache, const uint8_t tenant[16], const uint8_t subject[16],
                     int64_t now_us, const uint8_t *key);
/* Wipes what is older; returns how many are left. */
unsigned vault_cache_sweep(struct vault_cache *cache, int64_t now_us);
