#pragma once
/*
 * apikey: the text of a key, jm_wk_ or jm_sk_ + 30 base62 digits + 6 check characters.
 *
 * The check is the CRC-32 (IEEE 802.3) of everything before it, in base62, most significant digit first, padded with 0 to
 * six: a mistyped key is known as such without asking anybody. Digits: 0-9, A-Z, a-z. 30 of them are 178 random bits.
 */
#include "base.h"

#define APIKEY_SIZE 43 /* 42 and a NUL */

enum apikey_kind {
    APIKEY_WRITE,
    APIKEY_SECRET
};

void apikey_make(char out[APIKEY_SIZE], enum apikey_kind kind, struct entropy *entropy);
/* Whether text has the form above and its check holds. */
bool apikey_valid(const char *text);
/* "write", "secret"; -1: neither */
int apikey_kind(const char *name);
