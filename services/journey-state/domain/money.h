#pragma once
/* Amounts of decimal(10,2), as whole cents: no floating point anywhere. */
#include "base.h"

#define MONEY_TEXT_SIZE 24
#define MONEY_MAX       INT64_C(9999999999) /* cents of 99999999.99 */

/* "149.985" -> 14999 (half up, by magnitude), "1e2", "-3", " 7 ". ERR_INVALID when it is no number,
 * ERR_TOO_LARGE when decimal(10,2) cannot hold it. */
int money_parse(int64_t *cents, struct slice text) MUST_CHECK;
void money_format(char out[MONEY_TEXT_SIZE], int64_t cents);
