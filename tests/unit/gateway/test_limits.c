/* The rules of limits as tables: settings, addresses behind proxies, when Kafka counts as behind. */
#include "domain/address.h"
#include "domain/pressure.h"
#include "domain/settings.h"

#include "test.h"

static void test_settings(void **state)
{
    static const struct {
        const char *key, *value;
        int64_t write, burst, secret;
        const char *personal;
    } cases[] = {
        {"rate_limit", "default", 1000, 2000, 100, ""},
        {"rate_limit", "none", 0, 0, 0, ""},
        {"rate_limit", "250", 250, 500, 250, ""},
        {"rate_limit", "0", 1000, 2000, 100, ""},
        {"rate_limit", "fast", 1000, 2000, 100, ""},
        {"personal_data_allowed", "order_email,shipping.phone", 1000, 2000, 100,
         "order_email,shipping.phone"},
        {"personal_data_allowed", "\xff", 1000, 2000, 100, ""},
        {"currency", "USD", 1000, 2000, 100, ""},
        {"of_a_later_release", "1", 1000, 2000, 100, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gw_tenant_settings settings;
        gw_settings_init(&settings);
        gw_settings_take(&settings, cases[i].key, cases[i].value);
        assert_case(cases[i].value, settings.write.per_s == cases[i].write);
        assert_case(cases[i].value, settings.write.burst == cases[i].burst);
        assert_case(cases[i].value, settings.secret.per_s == cases[i].secret);
        assert_case(cases[i].value,
                    slice_equal_str(gw_settings_personal(&settings), cases[i].personal));
    }
}

static void test_forwarded(void **state)
{
    static const struct {
        const char *name, *lines[2];
        unsigned hops;
        const char *address;
    } cases[] = {
        {"nobody is trusted", {"203.0.113.7"}, 0, "10.0.0.1"},
        {"one proxy", {"203.0.113.7"}, 1, "203.0.113.7"},
        {"the client's claim is left of it", {"1.2.3.4, 203.0.113.7"}, 1, "203.0.113.7"},
        {"two proxies", {"1.2.3.4,203.0.113.7 , 10.0.0.2"}, 2, "203.0.113.7"},
        {"a proxy that adds a line", {"1.2.3.4", "203.0.113.7"}, 1, "203.0.113.7"},
        {"two lines, two proxies", {"1.2.3.4, 203.0.113.7", "10.0.0.2"}, 2, "203.0.113.7"},
        {"fewer than are trusted", {"203.0.113.7"}, 3, "203.0.113.7"},
        {"no header", {NULL}, 1, "10.0.0.1"},
        {"an empty one", {""}, 1, "10.0.0.1"},
        {"no address", {"unknown"}, 1, "10.0.0.1"},
        {"no address further left", {"unknown, 10.0.0.2"}, 2, "10.0.0.2"},
        {"with a port", {"203.0.113.7:4711"}, 1, "203.0.113.7"},
        {"IPv6", {"2001:db8::1"}, 1, "2001:db8::1"},
        {"IPv6 with a port", {"[2001:db8::1]:443"}, 1, "2001:db8::1"},
        {"half a bracket", {"[2001:db8::1"}, 1, "10.0.0.1"},
        {"commas alone", {",,,"}, 2, "10.0.0.1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned n = cases[i].lines[0] ? cases[i].lines[1] ? 2 : 1 : 0;
        struct slice found = gw_address_forwarded(cases[i].lines, n, cases[i].hops, "10.0.0.1");
        assert_case(cases[i].name, slice_equal_str(found, cases[i].address));
    }
}

static void test_owners(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"203.0.113.7", "203.0.113.7:80", true},
        {"203.0.113.7", "203.0.113.8", false},
        {"203.0.113.7", "::ffff:203.0.113.7", true},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t a[16], b[16];
        assert_int_equal(gw_address_parse(a, slice_str(cases[i].a)), 0);
        assert_int_equal(gw_address_parse(b, slice_str(cases[i].b)), 0);
        gw_address_owner(a, a);
        gw_address_owner(b, b);
        assert_case(cases[i].b, (memcmp(a, b, 16) == 0) == cases[i].same);
    }
}

static void test_pressure(void **state)
{
    static const struct gw_pressure_limits limits = {.high = 100, .low = 30, .stall_us = 1000};
    /* confirmed: just before, at the same time */
    static const struct {
        const char *name;
        int64_t at_us;
        bool confirmed;
        size_t messages, bytes;
        bool admitted, behind;
    } steps[] = {
        {"nothing waits", 0, false, 0, 0, true, false},
        {"something waits", 500, false, 3, 50, true, false},
        {"not yet too long", 999, false, 3, 50, true, false},
        {"nothing confirmed for too long", 1000, false, 3, 50, false, true},
        {"nor later", 1500, false, 3, 20, false, true},
        {"it failed: one may try", 4000, false, 0, 0, true, true},
        {"one alone", 4001, false, 1, 10, false, true},
        {"that failed, too", 7000, false, 0, 0, true, true},
        {"and the next is confirmed", 7500, true, 0, 0, true, false},
        {"so all is well", 7501, false, 2, 20, true, false},
        {"as long as something moves", 8400, true, 9, 90, true, false},
        {"too much waits", 8401, false, 10, 100, false, true},
        {"it shrinks", 8500, true, 5, 50, false, true},
        {"to little", 8600, true, 2, 29, true, false},
        {"and may grow again", 8700, true, 9, 99, true, false},
        {"an idle hour is no stall", 3600000000, false, 0, 0, true, false},
        {"after it", 3600000001, false, 1, 1, true, false},
    };
    struct gw_pressure pressure = {.behind = false};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (steps[i].confirmed)
            gw_pressure_confirmed(&pressure, steps[i].at_us);
        bool admitted = gw_pressure_admit(&pressure, &limits, steps[i].messages, steps[i].bytes,
                                          steps[i].at_us);
        assert_case(steps[i].name, admitted == steps[i].admitted);
        assert_case(steps[i].name, pressure.behind == steps[i].behind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_pressure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
