/*
 * Hashes. hash64 is for tables within a process and may change; hash_murmur2 is Kafka's and
 * hash_keyed makes identifiers that are stored: these two never change.
 */
#include "base.h"
#include <sodium.h>
#include <stdatomic.h>

/* ---- hash64: fold the 128-bit product of two mixed words, after wyhash ---- */

#define MIX_0 UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
#define MIX_1 UINT64_C(0xd6e8feb86659fd93)
#define MIX_2 UINT64_C(0xa0761d6478bd642f)

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

uint64_t hash64(const void *data, size_t size, uint64_t seed)
{
    const uint8_t *p = data;
    size_t left = size;
    uint64_t a = 0, b = 0;
    seed ^= fold(seed ^ MIX_0, MIX_1);
    for (; left > 16; p += 16, left -= 16)
        seed = fold(load64(p) ^ MIX_1, load64(p + 8) ^ seed);
    if (left >= 8) { /* two words that may overlap cover what is left */
        a = load64(p);
        b = load64(p + left - 8);
    } else if (left >= 4) {
        a = load32(p);
        b = load32(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    return fold(MIX_2 ^ size, fold(a ^ MIX_1, b ^ seed));
}

/* ---- murmur2 ---- */

uint32_t hash_murmur2(const void *data, size_t size)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *p = data;
    size_t left = size;
    uint32_t h = 0x9747b28c ^ (uint32_t)size;
    for (; left >= 4; p += 4, left -= 4) {
        uint32_t k =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (left > 2)
        h ^= (uint32_t)p[2] << 16;
    if (left > 1)
        h ^= (uint32_t)p[1] << 8;
    if (left > 0)
        h = (h ^ p[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

/* ---- libsodium's ---- */

/* Lets libsodium choose the processor's best code; without it the results are the same, only
 * slower. */
static void sodium_ready(void)
{
    static atomic_bool ready;
    if (!atomic_load_explicit(&ready, memory_order_acquire)) {
        if (sodium_init() >= 0)
            atomic_store_explicit(&ready, true, memory_order_release);
    }
}

void hash_keyed(uint8_t out[16], const uint8_t key[32], const struct slice *parts, size_t n_parts)
{
    sodium_ready();
    crypto_generichash_state state;
    int rc = crypto_generichash_init(&state, key, key ? 32 : 0, 16);
    for (size_t i = 0; i < n_parts; i++) {
        uint8_t length[8]; /* little-endian, so that ("ab","c") and ("a","bc") differ */
        for (int j = 0; j < 8; j++)
            length[j] = (uint8_t)((uint64_t)parts[i].size >> (8 * j));
        rc |= crypto_generichash_update(&state, length, sizeof(length));
        if (parts[i].size)
            rc |= crypto_generichash_update(&state, parts[i].data, parts[i].size);
    }
    rc |= crypto_generichash_final(&state, out, 16);
    assert(rc == 0); /* it fails on wrong sizes only */
    (void)rc;
}

void hash_sha256(uint8_t out[32], struct slice data)
{
    sodium_ready();
    int rc = crypto_hash_sha256(out, data.data, data.size);
    assert(rc == 0);
    (void)rc;
}

bool hash_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}
