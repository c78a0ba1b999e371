#pragma once
/* Bulk scanning of a string's bytes, for the reader and the writer. */
#include "base.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a JSON string cannot hold as it is, or what must be looked at: quote, backslash, control,
 * beyond ASCII. */
static inline bool scan_special(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

/* A high bit for each special byte of the word; exact up to the lowest one (higher ones may be
 * borrows). */
static inline uint64_t scan_special8(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    return (word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & high;
}

/* The first special byte of [at, end), or end. */
static inline const uint8_t *scan_plain(const uint8_t *at, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* a signed compare: bytes beyond ASCII are negative, hence below the space as well */
        __m128i special = _mm_or_si128(
            _mm_cmplt_epi8(bytes, space),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        if (scan_special8(word))
            break;
        at += 8;
    }
    while (at < end && !scan_special(*at))
        at++;
    return at;
}
