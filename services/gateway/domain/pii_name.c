/*
 * Names of members whose values are personal whatever they look like. Compared without case, '_', '-', '.', ' ', '$',
 * and digits at the end; the row must be the end of the name and begin a word there, so that "billing_address1" and
 * "shippingFirstName" are found, "smartphone" and "filename" are not. JOINED rows need no beginning of a word.
 */
#include "pii.h"

#include <ctype.h>

enum {
    WORDS, /* the last words of the name */
    JOINED,
    WHOLE, /* the name is that and nothing else */
};

struct name {
    const char *text;
    int what;
    int how;
};

#define VERSION GW_NAME_VERSION
#define EMAIL   GW_PERSONAL_EMAIL
#define PHONE   GW_PERSONAL_PHONE
#define CARD    GW_PERSONAL_CARD
#define IBAN    GW_PERSONAL_IBAN
#define ID      GW_PERSONAL_NATIONAL_ID
#define ADDRESS GW_PERSONAL_ADDRESS
#define NAMED   GW_PERSONAL_NAMED

static const struct name names[] = {
    {"email", EMAIL, JOINED},
    {"emailaddress", EMAIL, JOINED},
    {"mailaddress", EMAIL, WORDS},
    {"mail", EMAIL, WHOLE},
    {"phone", PHONE, WORDS},
    {"phonenumber", PHONE, JOINED},
    {"phoneno", PHONE, WORDS},
    {"telephone", PHONE, WORDS},
    {"telephonenumber", PHONE, WORDS},
    {"telefon", PHONE, WORDS},
    {"tel", PHONE, WORDS},
    {"mobile", PHONE, WORDS},
    {"mobilephone", PHONE, WORDS},
    {"mobilenumber", PHONE, WORDS},
    {"mobileno", PHONE, WORDS},
    {"cellphone", PHONE, WORDS},
    {"cell", PHONE, WHOLE},
    {"msisdn", PHONE, WORDS},
    {"whatsapp", PHONE, WORDS},
    {"fax", PHONE, WORDS},
    {"faxnumber", PHONE, WORDS},
    {"firstname", NAMED, JOINED},
    {"lastname", NAMED, JOINED},
    {"fullname", NAMED, JOINED},
    {"middlename", NAMED, WORDS},
    {"surname", NAMED, WORDS},
    {"givenname", NAMED, WORDS},
    {"familyname", NAMED, WORDS},
    {"maidenname", NAMED, WORDS},
    {"birthname", NAMED, WORDS},
    {"nickname", NAMED, WORDS},
    {"username", NAMED, WORDS},
    {"customername", NAMED, WORDS},
    {"contactname", NAMED, WORDS},
    {"recipientname", NAMED, WORDS},
    {"cardholder", NAMED, WORDS},
    {"cardholdername", NAMED, WORDS},
    {"accountholder", NAMED, WORDS},
    {"fname", NAMED, WHOLE},
    {"lname", NAMED, WHOLE},
    {"vorname", NAMED, WORDS},
    {"nachname", NAMED, WORDS},
    {"birthday", NAMED, WORDS},
    {"birthdate", NAMED, WORDS},
    {"dateofbirth", NAMED, WORDS},
    {"birthdayat", NAMED, WORDS},
    {"dob", NAMED, WORDS},
    {"street", ADDRESS, WORDS},
    {"streetname", ADDRESS, WORDS},
    {"streetaddress", ADDRESS, WORDS},
    {"housenumber", ADDRESS, WORDS},
    {"address", ADDRESS, WORDS},
    {"addressline", ADDRESS, WORDS},
    {"addr", ADDRESS, WORDS},
    {"strasse", ADDRESS, WORDS},
    {"zip", ADDRESS, WORDS},
    {"zipcode", ADDRESS, JOINED},
    {"postcode", ADDRESS, JOINED},
    {"postalcode", ADDRESS, JOINED},
    {"plz", ADDRESS, WORDS},
    {"ip", ADDRESS, WORDS},
    {"ipaddress", ADDRESS, WORDS},
    {"ipaddr", ADDRESS, WORDS},
    {"ssn", ID, WORDS},
    {"socialsecuritynumber", ID, WORDS},
    {"socialsecurity", ID, WORDS},
    {"nino", ID, WHOLE},
    {"nationalinsurancenumber", ID, WORDS},
    {"nationalid", ID, WORDS},
    {"personalid", ID, WORDS},
    {"identitynumber", ID, WORDS},
    {"taxid", ID, WORDS},
    {"taxnumber", ID, WORDS},
    {"steuerid", ID, WORDS},
    {"passport", ID, WORDS},
    {"passportnumber", ID, WORDS},
    {"driverslicense", ID, WORDS},
    {"driverlicense", ID, WORDS},
    {"bsn", ID, WORDS},
    {"burgerservicenummer", ID, WORDS},
    {"pesel", ID, WORDS},
    {"dni", ID, WORDS},
    {"codicefiscale", ID, WORDS},
    {"nir", ID, WHOLE},
    {"iban", IBAN, WORDS},
    {"bankaccount", IBAN, WORDS},
    {"accountnumber", IBAN, WORDS},
    {"card", CARD, WHOLE},
    {"cardnumber", CARD, JOINED},
    {"cardno", CARD, WORDS},
    {"creditcard", CARD, WORDS},
    {"ccnumber", CARD, WORDS},
    {"pan", CARD, WHOLE},
    {"cvv", CARD, WORDS},
    {"cvc", CARD, WORDS},
    {"csc", CARD, WHOLE},
    {"securitycode", CARD, WORDS},
    {"cardexpiry", CARD, WORDS},
    {"password", NAMED, JOINED},
    {"passwd", NAMED, WORDS},
    {"passwort", NAMED, WORDS},
    {"pwd", NAMED, WORDS},
    {"passphrase", NAMED, WORDS},
    {"passcode", NAMED, WORDS},
    {"pin", NAMED, WHOLE},
    {"otp", NAMED, WORDS},
    {"secret", NAMED, WORDS},
    {"token", NAMED, WORDS},
    {"accesstoken", NAMED, JOINED},
    {"authtoken", NAMED, JOINED},
    {"refreshtoken", NAMED, JOINED},
    {"apikey", NAMED, WORDS},
    {"privatekey", NAMED, WORDS},
    {"authorization", NAMED, WORDS},
    {"credentials", NAMED, WORDS},
    {"cookie", NAMED, WHOLE},
    {"version", VERSION, JOINED},
    {"build", VERSION, WORDS},
    {"release", VERSION, WORDS},
    {"firmware", VERSION, WORDS},
    {"useragent", VERSION, WORDS},
};

/* Values of such names that tell nothing. */
static const char *const flags[] = {"true", "false", "0",  "1",        "null",
                                    "none", "yes",   "no", "undefined"};

/* The last three letters; of "ip" the two. */
static inline unsigned ending(uint8_t a, uint8_t b, uint8_t c)
{
    return (a & 31u) << 10 | (b & 31u) << 5 | (c & 31u);
}
static inline unsigned slot(unsigned end)
{
    return (end ^ end >> 7) % 256;
}

void gw_names_init(struct gw_names *table)
{
    _Static_assert(ARRAY_SIZE(names) < 255, "rows are numbered in a byte");
    memset(table, 0, sizeof(*table));
    for (unsigned n = 0; n < ARRAY_SIZE(names); n++) {
        size_t size = strlen(names[n].text);
        const uint8_t *after = (const uint8_t *)names[n].text + size;
        unsigned end = ending(size < 3 ? 0 : after[-3], after[-2], after[-1]);
        table->ends[end / 8] |= (uint8_t)(1 << end % 8);
        table->sizes[n] = (uint8_t)size;
        table->next[n] = table->first[slot(end)];
        table->first[slot(end)] = (uint8_t)(n + 1);
    }
}

static inline bool separates(uint8_t c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ' || c == '$' || c == '[' || c == ']';
}

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

#define PLAIN_MAX 48

/* A name's last letters and digits in lower case, and where each stands in it. */
struct plain {
    uint8_t text[PLAIN_MAX];
    size_t at[PLAIN_MAX];
    unsigned first; /* the text is [first, PLAIN_MAX) */
};

static void make_plain(struct plain *plain, struct slice name)
{
    plain->first = PLAIN_MAX;
    for (size_t i = name.size; i > 0 && plain->first > 0; i--) {
        if (separates(name.data[i - 1]))
            continue;
        plain->text[--plain->first] = lower(name.data[i - 1]);
        plain->at[plain->first] = i - 1;
    }
}

static bool begins_word(struct slice name, size_t at)
{
    if (at == 0 || separates(name.data[at - 1]))
        return true;
    return isupper(name.data[at]) && !isupper(name.data[at - 1]);
}

static bool fits(const struct plain *plain, struct slice name, const struct name *row,
                 unsigned size)
{
    unsigned begin = PLAIN_MAX - size;
    if (begin < plain->first || plain->text[begin] != (uint8_t)row->text[0] ||
        memcmp(plain->text + begin, row->text, size) != 0)
        return false;
    if (row->how == WHOLE)
        return begin == plain->first;
    return row->how == JOINED || begins_word(name, plain->at[begin]);
}

/* "is_mobile", "hasEmail": about it, not it */
static bool asks(struct slice name)
{
    static const char *const begins[] = {"is", "has"};
    for (unsigned i = 0; i < ARRAY_SIZE(begins); i++) {
        size_t n = strlen(begins[i]);
        if (name.size > n && memcmp(name.data, begins[i], n) == 0 &&
            (separates(name.data[n]) || isupper(name.data[n])))
            return true;
    }
    return false;
}

static int look(const struct gw_names *table, struct slice name, unsigned end)
{
    unsigned longest = 0;
    int what = GW_NAME_NONE;
    if (!(table->ends[end / 8] & 1 << end % 8))
        return what;
    struct plain plain;
    make_plain(&plain, name);
    for (unsigned row = table->first[slot(end)]; row; row = table->next[row - 1]) {
        unsigned size = table->sizes[row - 1];
        if (size > longest && fits(&plain, name, &names[row - 1], size)) {
            longest = size;
            what = names[row - 1].what;
        }
    }
    return what;
}

int gw_names_find(const struct gw_names *table, struct slice name)
{
    uint8_t last[3] = {0, 0, 0};
    unsigned n = 0;
    while (name.size && (separates(name.data[name.size - 1]) || isdigit(name.data[name.size - 1])))
        name.size--;
    for (size_t i = name.size; i > 0 && n < 3; i--)
        if (!separates(name.data[i - 1]))
            last[n++] = name.data[i - 1];
    if (n < 2)
        return GW_NAME_NONE;
    int what = look(table, name, ending(last[2], last[1], last[0]));
    if (what == GW_NAME_NONE)
        what = look(table, name, ending(0, last[1], last[0]));
    return what != GW_NAME_NONE && what != GW_NAME_VERSION && asks(name) ? GW_NAME_NONE : what;
}

bool gw_value_tells(struct slice value)
{
    static const char *const marks[] = {
#define MARK(id, text) text,
        GW_PERSONAL_TABLE(MARK)
#undef MARK
    };
    if (value.size == 0)
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
        if (slice_equal_str(value, flags[i]))
            return false;
    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++)
        if (slice_equal_str(value, marks[i]))
            return false;
    return true;
}
