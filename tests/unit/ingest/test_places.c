/* Places of addresses, by a file that the test writes. */
#include "mmdb.h"
#include "places.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct mmdb_place known[] = {
    {"203.0.113.0", 120, "DE", "BY", "Nuremberg"},
    {"198.51.100.0", 120, "GB", "SRY", "Redhill"},
    {"2001:db8:1::", 48, "AU", "VIC", "Abbotsford"},
};

static void addresses_have_places(void **state)
{
    static const struct {
        const char *address, *country, *region, *city;
    } cases[] = {
        {"203.0.113.0", "DE", "BY", "Nuremberg"},
        {"203.0.113.77", "DE", "BY", "Nuremberg"},
        {"198.51.100.0", "GB", "SRY", "Redhill"},
        {"2001:db8:1::", "AU", "VIC", "Abbotsford"},
        {"2001:db8:1:2::3", "AU", "VIC", "Abbotsford"},
        {"2001:db8:2::", "", "", ""},
        {"192.0.2.0", "", "", ""},
        {"203.0.113", "", "", ""},
        {"", "", "", ""},
        {"nowhere", "", "", ""},
        {"203.0.113.0.203.0.113.0.203.0.113.0.203.0.113.0.203.0.113.0", "", "", ""},
    };
    char path[] = "/tmp/places_XXXXXX";
    struct places *places;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    mmdb_write(path, known, ARRAY_SIZE(known));
    struct err err = {0};
    if (places_open(&places, path, &err) < 0)
        fail_msg("%s", err.message);
    unlink(path);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = places_find(places, slice_str(cases[i].address));
        assert_case(cases[i].address, slice_equal_str(place.country, cases[i].country));
        assert_case(cases[i].address, slice_equal_str(place.region, cases[i].region));
        assert_case(cases[i].address, slice_equal_str(place.city, cases[i].city));
    }
    places_close(&places);
}

static void a_bad_file_says_why(void **state)
{
    struct places *places = NULL;
    struct err err = {0};
    assert_true(places_open(&places, "/tmp/no/such/file.mmdb", &err) < 0);
    assert_true(places_open(&places, "Makefile", &err) < 0);
    assert_true(err.message[0] != 0);
    assert_null(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_places),
        cmocka_unit_test(a_bad_file_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
