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
