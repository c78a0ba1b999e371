/* Check digits and ranges. Separators within a number are skipped; everything else ends it. */
#include "pii.h"

#include <arpa/inet.h>
#include <ctype.h>

#define SYMBOLS_MAX 40

/* Its letters (upper case) and digits, and where in the text each ends. */
struct symbols {
    char c[SYMBOLS_MAX + 1];
    size_t end[SYMBOLS_MAX];
    unsigned n;
};

static void take(struct symbols *s, struct slice text)
{
    s->n = 0;
    for (size_t i = 0; i < text.size && s->n < SYMBOLS_MAX; i++) {
        if (!isalnum(text.data[i]))
            continue;
        s->c[s->n] = (char)toupper(text.data[i]);
        s->end[s->n++] = i + 1;
    }
    s->c[s->n] = 0;
}

/* Whether the first n symbols are not cut out of a longer word. */
static bool ends_after(const struct symbols *s, unsigned n, struct slice text)
{
    return n <= s->n && (s->end[n - 1] == text.size || !isalnum(text.data[s->end[n - 1]]));
}

static int number(const char *digits, unsigned n)
{
    int value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

/* Of a text of digits and letters, where A is 10 and Z is 35; what does not fit is carried. */
static unsigned mod97(const char *text, unsigned n, unsigned carried)
{
    for (unsigned i = 0; i < n; i++) {
        if (isdigit((unsigned char)text[i]))
            carried = (carried * 10 + (unsigned)(text[i] - '0')) % 97;
        else
            carried = (carried * 100 + (unsigned)(text[i] - 'A' + 10)) % 97;
    }
    return carried;
}

/* ---- cards ---- */

struct issuer {
    int digits, from, to; /* the number begins with so many digits, in this range */
    unsigned shortest, longest;
};

static const struct issuer issuers[] = {
    {1, 4, 4, 13, 19},       /* Visa */
    {2, 51, 55, 16, 16},     /* Mastercard */
    {4, 2221, 2720, 16, 16}, /* Mastercard */
    {2, 34, 34, 15, 15},     /* American Express */
    {2, 37, 37, 15, 15},     /* American Express */
    {3, 300, 305, 14, 19},   /* Diners */
    {2, 36, 36, 14, 19},     /* Diners */
    {2, 38, 39, 14, 19},     /* Diners */
    {4, 3528, 3589, 16, 19}, /* JCB */
    {2, 60, 69, 13, 19},     /* Discover, UnionPay, Maestro, RuPay */
    {2, 50, 50, 13, 19},     /* Maestro */
    {2, 56, 58, 13, 19},     /* Maestro */
};

static bool issued(const char *digits, unsigned n)
{
    for (unsigned i = 0; i < ARRAY_SIZE(issuers); i++) {
        int begin = number(digits, (unsigned)issuers[i].digits);
        if (begin >= issuers[i].from && begin <= issuers[i].to)
            return n >= issuers[i].shortest && n <= issuers[i].longest;
    }
    return false;
}

static bool luhn(const char *digits, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned d = (unsigned)(digits[n - 1 - i] - '0');
        sum += i % 2 == 0 ? d : d < 5 ? 2 * d : 2 * d - 9;
    }
    return sum % 10 == 0;
}

/* A barcode of 13 digits, which no card issued today has. */
static bool barcode(const char *digits, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += (unsigned)(digits[i] - '0') * (i % 2 ? 3 : 1);
    return n == 13 && sum % 10 == 0;
}

size_t gw_check_card(struct slice text)
{
    struct symbols s;
    take(&s, text);
    for (unsigned n = s.n < 19 ? s.n : 19; n >= 13; n--)
        if (ends_after(&s, n, text) && issued(s.c, n) && luhn(s.c, n) && !barcode(s.c, n))
            return s.end[n - 1];
    return 0;
}

/* ---- accounts ---- */

/* Country and length of its IBANs (registry of ISO 13616). */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI"
    "18"
    "FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT"
    "20"
    "LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA"
    "24"
    "SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

size_t gw_check_iban(struct slice text)
{
    struct symbols s;
    unsigned length = 0;
    take(&s, text);
    for (const char *row = iban_lengths; *row; row += 4)
        if (row[0] == s.c[0] && row[1] == s.c[1])
            length = (unsigned)number(row + 2, 2);
    if (length == 0 || !ends_after(&s, length, text))
        return 0;
    unsigned rest = mod97(s.c + 4, length - 4, 0);
    return mod97(s.c, 4, rest) == 1 ? s.end[length - 1] : 0;
}

/* ---- national ids ---- */

/* Germany: of the first ten digits one occurs twice or three times, all others at most once; ISO 7064 mod 11, 10. */
size_t gw_check_tax_de(struct slice text)
{
    struct symbols s;
    unsigned counts[10] = {0}, repeated = 0, product = 10;
    take(&s, text);
    if (s.n != 11 || s.c[0] == '0')
        return 0;
    for (unsigned i = 0; i < 10; i++) {
        counts[s.c[i] - '0']++;
        unsigned sum = ((unsigned)(s.c[i] - '0') + product) % 10;
        product = (sum ? sum : 10) * 2 % 11;
    }
    for (unsigned d = 0; d < 10; d++) {
        repeated += counts[d] > 1;
        if (counts[d] > 3)
            return 0;
    }
    unsigned check = (11 - product) % 10;
    return repeated == 1 && (unsigned)(s.c[10] - '0') == check ? text.size : 0;
}

/* France: sex, year, month, department (2A and 2B of Corsica), commune, order, then 97 less the rest. */
size_t gw_check_nir(struct slice text)
{
    struct symbols s;
    take(&s, text);
    if (s.n != 15)
        return 0;
    unsigned less = 0;
    if (s.c[6] == 'A' || s.c[6] == 'B') {
        less = s.c[6] == 'A' ? 1 : 2;
        s.c[6] = '0';
    }
    for (unsigned i = 0; i < 15; i++)
        if (!isdigit((unsigned char)s.c[i]))
            return 0;
    int month = number(s.c + 3, 2);
    if (!((month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50))
        return 0;
    /* 2A counts as 19, 2B as 18 */
    unsigned value = mod97(s.c, 13, 0);
    value = (value + 97 - (less * 1000000) % 97) % 97;
    return 97 - value == (unsigned)number(s.c + 13, 2) ? text.size : 0;
}

/* Spain: DNI and NIE; the letter is the number modulo 23. */
size_t gw_check_nif(struct slice text)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    struct symbols s;
    take(&s, text);
    if (s.n != 9)
        return 0;
    if (s.c[0] >= 'X' && s.c[0] <= 'Z')
        s.c[0] = (char)('0' + (s.c[0] - 'X'));
    return letters[number(s.c, 8) % 23] == s.c[8] ? text.size : 0;
}

/* Italy: 16 characters, the last from the values of those in odd and even places. */
size_t gw_check_codice(struct slice text)
{
    static const uint8_t odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                  20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    struct symbols s;
    unsigned sum = 0;
    take(&s, text);
    if (s.n != 16)
        return 0;
    for (unsigned i = 0; i < 15; i++) {
        unsigned value = (unsigned)(isdigit((unsigned char)s.c[i]) ? s.c[i] - '0' : s.c[i] - 'A');
        sum += i % 2 == 0 ? odd[value] : value;
    }
    return (char)('A' + sum % 26) == s.c[15] ? text.size : 0;
}

/* Poland: the month also says the century. */
size_t gw_check_pesel(struct slice text)
{
    static const uint8_t weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    struct symbols s;
    unsigned sum = 0;
    take(&s, text);
    if (s.n != 11)
        return 0;
    for (unsigned i = 0; i < 11; i++)
        sum += weights[i] * (unsigned)(s.c[i] - '0');
    int month = number(s.c + 2, 2) % 20, day = number(s.c + 4, 2);
    return sum % 10 == 0 && month >= 1 && month <= 12 && day >= 1 && day <= 31 ? text.size : 0;
}

/* The Netherlands: the last nine digits of the text (its name stands before them). */
size_t gw_check_bsn(struct slice text)
{
    int sum = 0;
    struct slice digits = slice_make(text.data + text.size - 9, 9);
    for (int i = 0; i < 9; i++)
        sum += (digits.data[i] - '0') * (i == 8 ? -1 : 9 - i);
    return sum % 11 == 0 && sum != 0 ? text.size : 0;
}

/* ---- phone numbers and addresses ---- */

/* 01-02-2026, and whatever follows it */
static bool date(struct slice text)
{
    for (size_t i = 0; i < 10; i++)
        if (i >= text.size || (isdigit(text.data[i]) != 0) == (i == 2 || i == 5))
            return false;
    return text.size == 10 || !isdigit(text.data[10]);
}

size_t gw_check_trunk(struct slice text)
{
    struct symbols s;
    take(&s, text);
    if (s.n < 9 || s.n > 12)
        return 0;
    return date(text) ? 0 : text.size;
}

/* Not the address of a network (its last part 0), which is what a cut address is, nor a host's of itself. */
size_t gw_check_ipv4(struct slice text)
{
    unsigned part = 0, last = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i == text.size || text.data[i] == '.') {
            if (part > 255)
                return 0;
            last = part;
            part = 0;
        } else {
            part = part * 10 + (unsigned)(text.data[i] - '0');
        }
    }
    return last == 0 || (text.size > 4 && memcmp(text.data, "127.", 4) == 0) ? 0 : text.size;
}

/* Words like a::b and times are none; nor is what an address is cut to. */
size_t gw_check_ipv6(struct slice text)
{
    static const uint8_t zeros[16];
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    unsigned colons = 0, digits = 0;
    while (text.size > 2 && text.data[text.size - 1] == '.') /* of the sentence */
        text.size--;
    if (text.size >= sizeof(copy))
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        colons += text.data[i] == ':';
        digits += isdigit(text.data[i]) != 0;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    if (colons < 2 || (digits == 0 && colons < 4) || inet_pton(AF_INET6, copy, bytes) != 1)
        return 0;
    bool cut = memcmp(bytes + 6, zeros, 10) == 0;
    bool loopback = memcmp(bytes, zeros, 15) == 0;
    return cut || loopback ? 0 : text.size;
}

struct slice gw_address_cut(struct slice address, struct arena *arena)
{
    char copy[INET6_ADDRSTRLEN], out[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (!address.data || address.size >= sizeof(copy))
        return slice_make(NULL, 0);
    memcpy(copy, address.data, address.size);
    copy[address.size] = 0;
    int family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    if (strlen(copy) != address.size || inet_pton(family, copy, bytes) != 1)
        return slice_make(NULL, 0);
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (family == AF_INET6 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        family = AF_INET; /* ::ffff:203.0.113.7 is an IPv4 client's */
        memmove(bytes, bytes + sizeof(mapped), 4);
    }
    if (family == AF_INET)
        bytes[3] = 0;
    else
        memset(bytes + 6, 0, 10);
    if (!inet_ntop(family, bytes, out, sizeof(out)))
        return slice_make(NULL, 0);
    return arena_slice(arena, slice_str(out));
}
