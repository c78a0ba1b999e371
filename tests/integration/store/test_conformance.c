/* Postgres: the conformance suite that the twin passes. */
#include "conformance_cases.h"
#include "pg_rig.h"

#define CASE(function) cmocka_unit_test_setup_teardown(function, pg_setup, pg_teardown),

int main(void)
{
    const struct CMUnitTest tests[] = {CONFORMANCE_CASES(CASE)};
    return cmocka_run_group_tests(tests, pg_group_setup, NULL);
}
