#include "apikey.h"

#define PREFIX_SIZE 6
#define RANDOM_SIZE 30
#define CHECK_SIZE  6
#define BODY_SIZE   (PREFIX_SIZE + RANDOM_SIZE)

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char *const PREFIXES[] = {[APIKEY_WRITE] = "jm_wk_", [APIKEY_SECRET] = "jm_sk_"};

static uint32_t crc32_ieee(const char *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint8_t)data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
    }
    return ~crc;
}

static void check_write(char out[CHECK_SIZE], const char *body)
{
    uint32_t crc = crc32_ieee(body, BODY_SIZE);
    for (int i = CHECK_SIZE - 1; i >= 0; i--) {
        out[i] = DIGITS[crc % 62];
        crc /= 62;
    }
}

/* Bytes from 248 on are drawn again: 248 is the last multiple of 62, so every digit is as likely. */
static char digit_draw(struct entropy *entropy)
{
    uint8_t byte;
    do {
        entropy->fill(entropy, &byte, 1);
    } while (byte >= 248);
    return DIGITS[byte % 62];
}

void apikey_make(char out[APIKEY_SIZE], enum apikey_kind kind, struct entropy *entropy)
{
    memcpy(out, PREFIXES[kind], PREFIX_SIZE);
    for (size_t i = PREFIX_SIZE; i < BODY_SIZE; i++)
        out[i] = digit_draw(entropy);
    check_write(out + BODY_SIZE, out);
    out[APIKEY_SIZE - 1] = '\0';
}

bool apikey_valid(const char *text)
{
    char check[CHECK_SIZE];
    if (strlen(text) != APIKEY_SIZE - 1)
        return false;
    if (memcmp(text, PREFIXES[APIKEY_WRITE], PREFIX_SIZE) != 0 &&
        memcmp(text, PREFIXES[APIKEY_SECRET], PREFIX_SIZE) != 0)
        return false;
    if (strspn(text + PREFIX_SIZE, DIGITS) != RANDOM_SIZE + CHECK_SIZE)
        return false;
    check_write(check, text);
    return memcmp(check, text + BODY_SIZE, CHECK_SIZE) == 0;
}

int apikey_kind(const char *name)
{
    if (strcmp(name, "write") == 0)
        return APIKEY_WRITE;
    return strcmp(name, "secret") == 0 ? APIKEY_SECRET : -1;
}
