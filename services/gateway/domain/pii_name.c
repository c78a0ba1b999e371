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

static inline unsigned slot(uint8_t a, uint8_t b, uint8_t c)
{
    return ((a & 31u) * 961 + (b & 31u) * 31 + (c & 31u)) % 1024;
}

static void add(struct gw_names *table, unsigned row, unsigned at)
{
    table->next[row] = table->first[at];
    table->first[at] = (uint8_t)(row + 1);
}

void gw_names_init(struct gw_names *table)
{
    _Static_assert(ARRAY_SIZE(names) < 255, "rows are numbered in a byte");
    *table = (struct gw_names){{0}, {0}};
    for (unsigned n = 0; n < ARRAY_SIZE(names); n++) {
        const char *end = names[n].text + strlen(names[n].text);
        /* "ip" has no third letter: its slot is that of the two alone */
        add(table, n,
            strlen(names[n].text) < 3 ? slot(0, (uint8_t)end[-2], (uint8_t)end[-1])
                                      : slot((uint8_t)end[-3], (uint8_t)end[-2], (uint8_t)end[-1]));
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

/* The row's letters backwards from the end of the name; where they begin in it, or -1. */
static int match_end(struct slice name, const char *row)
{
    size_t r = strlen(row), i = name.size;
    while (r > 0) {
        while (i > 0 && separates(name.data[i - 1]))
            i--;
        if (i == 0 || lower(name.data[i - 1]) != (uint8_t)row[r - 1])
            return -1;
        i--;
        r--;
    }
    return (int)i;
}

static bool begins_word(struct slice name, int at)
{
    if (at == 0 || separates(name.data[at - 1]))
        return true;
    return isupper(name.data[at]) && !isupper(name.data[at - 1]);
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

static int look(const struct gw_names *table, struct slice name, unsigned at)
{
    size_t longest = 0;
    int what = GW_NAME_NONE;
    for (unsigned row = table->first[at]; row; row = table->next[row - 1]) {
        const struct name *n = &names[row - 1];
        int begin = match_end(name, n->text);
        bool fits = begin >= 0 && (n->how == JOINED || begin == 0 ||
                                   (n->how == WORDS && begins_word(name, begin)));
        if (n->how == WHOLE && begin > 0)
            for (fits = true; begin > 0; begin--)
                fits = fits && separates(name.data[begin - 1]);
        if (fits && strlen(n->text) > longest) {
            longest = strlen(n->text);
            what = n->what;
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
    int what = GW_NAME_NONE;
    unsigned three = slot(last[2], last[1], last[0]), two = slot(0, last[1], last[0]);
    if (table->first[three])
        what = look(table, name, three);
    if (what == GW_NAME_NONE && table->first[two])
        what = look(table, name, two);
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
