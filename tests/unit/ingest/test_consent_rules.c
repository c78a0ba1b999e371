/* The rules of consent, by truth tables. */
#include "domain/consent.h"
#include "tables.h"

#include <stdlib.h>

static enum ingest_purpose purpose_of(const struct table_row *row, const char *name)
{
    enum ingest_purpose purpose = ingest_purpose_find(slice_str(name));
    assert_row(row, purpose < INGEST_PURPOSES);
    return purpose;
}

/* ---- what is in force ---- */

static void state(struct ingest_consents *consents, enum ingest_purpose purpose, const char *text)
{
    const char *at = strchr(text, ' ');
    if (at)
        ingest_consent_put(consents, purpose, text[0] == 'g', strtoll(at, NULL, 10));
}

static void force_row(const struct table_row *row, void *user UNUSED)
{
    static const char *const bases[] = {"", "consent", "legitimate_interest"};
    struct ingest_consents device = {.reported = 0}, person = device;
    enum ingest_purpose purpose = purpose_of(row, row->columns[0]);
    state(&device, purpose, row->columns[1]);
    state(&person, purpose, row->columns[2]);
    bool opt_out = row->columns[3][0] != 0;
    unsigned interests = row->columns[4][0] ? 1U << purpose : 0;
    struct ingest_force force = ingest_consent_in_force(&device, &person, opt_out, interests);
    assert_row(row, strcmp(bases[force.of[purpose]], row->columns[5]) == 0);
    if (row->columns[2][0] == 0) { /* there need not be a user */
        force = ingest_consent_in_force(&device, NULL, opt_out, interests);
        assert_row(row, strcmp(bases[force.of[purpose]], row->columns[5]) == 0);
    }
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) /* nor does it say anything of others */
        assert_row(row, p == purpose || force.of[p] == INGEST_BASIS_NONE);
}

static void what_is_in_force(void **state_ UNUSED)
{
    table_each("consent.txt", 6, force_row, NULL);
}

/* ---- what is stated ---- */

/* "Analytics=yes Advertising=no" */
static uint32_t reported(const struct table_row *row, char *text)
{
    uint32_t bits = 0;
    char *word, *rest = text;
    while ((word = strsep(&rest, " "))) {
        char *yes = strchr(word, '=');
        if (!yes)
            continue;
        *yes = 0;
        enum ingest_purpose purpose = ingest_purpose_of_category(slice_str(word));
        assert_row(row, purpose < INGEST_PURPOSES);
        bits |= ingest_reported(purpose,
                                yes[1] == 'y' ? INGEST_CONSENT_GRANTED : INGEST_CONSENT_DENIED);
    }
    return bits;
}

static unsigned say(struct ingest_consents *consents, const struct table_row *row, int64_t at_us)
{
    const char *what = row->columns[1];
    if (strcmp(what, "reports") == 0)
        return ingest_consent_report(consents, reported(row, row->columns[2]), at_us);
    if (strcmp(what, "opts out") == 0)
        return ingest_consent_opt_out(consents, at_us);
    enum ingest_purpose purpose = purpose_of(row, row->columns[2]);
    ingest_consent_put(consents, purpose, strcmp(what, "grants") == 0, at_us);
    return 1U << purpose;
}

static void stated_row(const struct table_row *row, void *user)
{
    struct ingest_consents *consents = user;
    char changed[200] = "", stands[400] = "";
    if (row->columns[0][0] == '=') {
        *consents = (struct ingest_consents){.reported = 0};
        return;
    }
    unsigned bits = say(consents, row, strtoll(row->columns[0], NULL, 10));
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        const struct ingest_statement *s = &consents->of[p];
        if (bits & 1U << p)
            (void)snprintf(changed + strlen(changed), sizeof(changed) - strlen(changed), "%s%s",
                           changed[0] ? " " : "", ingest_purpose_name(p));
        if (s->state)
            (void)snprintf(stands + strlen(stands), sizeof(stands) - strlen(stands), "%s%s %s %lld",
                           stands[0] ? ", " : "", ingest_purpose_name(p),
                           ingest_consent_state_name(s->state), (long long)s->at_us);
    }
    if (strcmp(changed, row->columns[3]) != 0 || strcmp(stands, row->columns[4]) != 0)
        fail_msg("%s:%d: changed: %s; stands: %s", row->file, row->line, changed, stands);
}

static void what_is_stated(void **state_ UNUSED)
{
    struct ingest_consents consents = {.reported = 0};
    table_each("consent_stated.txt", 5, stated_row, &consents);
}

static void category_row(const struct table_row *row, void *user UNUSED)
{
    enum ingest_purpose purpose = ingest_purpose_of_category(slice_str(row->columns[0]));
    const char *name = purpose == INGEST_PURPOSE_UNKNOWN ? "" : ingest_purpose_name(purpose);
    assert_row(row, strcmp(name, row->columns[1]) == 0);
}

static void categories(void **state_ UNUSED)
{
    table_each("categories.txt", 2, category_row, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_force),
        cmocka_unit_test(what_is_stated),
        cmocka_unit_test(categories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
