/* Which ids carry a number of their producer, and which do not. */
#include "test.h"

#include "internal.h"

#define NAME "p.1/3/journey.counts.v1/0/"

static void numbers_are_read_from_ids_of_their_form_alone(void **state)
{
    static const struct {
        const char *id, *producer;
        uint64_t number; /* 0: it has none */
    } cases[] = {
        {NAME "1", "p.1/3", 1},
        {NAME "10", "p.1/3", 10},
        {NAME "9999999999999999999", "p.1/3", 9999999999999999999u},
        {NAME "0", NULL, 0},
        {NAME "", NULL, 0},
        {NAME "1x", NULL, 0},
        {NAME "-1", NULL, 0},
        {NAME "1.5", NULL, 0},
        {NAME "99999999999999999999", NULL, 0},
        {NAME "1/1", NULL, 0},
        {"p.1/3/journey.counts.v1/1", NULL, 0},
        {"018bbb52-466d-7028-a034-7f003c31752f", NULL, 0},
        {"answer-12.0", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct stream_number number = {{NULL, 0}, 0};
        bool found = stream_number_parse(slice_str(cases[i].id), &number);
        assert_case(cases[i].id, found == (cases[i].number > 0));
        assert_case(cases[i].id, number.number == cases[i].number);
        if (found)
            assert_case(cases[i].id, slice_equal_str(number.producer, cases[i].producer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_from_ids_of_their_form_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
