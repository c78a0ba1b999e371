#pragma once
/* What a cmocka test includes, and how a table of named cases says which one failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Fails the test with the case's name and the condition that does not hold. */
#define assert_case(name, condition)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("case \"%s\": %s", (name), #condition);                                       \
    } while (0)

/* The analyzer does not know that a failing assertion ends the test. */
#ifdef __clang_analyzer__
#define TEST_ENDS_UNLESS(condition)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)
#undef assert_true
#define assert_true(condition) TEST_ENDS_UNLESS(condition)
#undef assert_false
#define assert_false(condition) TEST_ENDS_UNLESS(!(condition))
#undef assert_non_null
#define assert_non_null(pointer) TEST_ENDS_UNLESS((pointer) != NULL)
#undef assert_null
#define assert_null(pointer) TEST_ENDS_UNLESS((pointer) == NULL)
#undef assert_int_equal
#define assert_int_equal(a, b) TEST_ENDS_UNLESS((a) == (b))
#undef fail_msg
#define fail_msg(...) abort()
#undef fail
#define fail() abort()
#endif
