/* Any bytes as a record's number: what is taken ends the text as it is written. */
#include "fuzz/check.h"
#include "stream.h"

#include <inttypes.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_number number = {.number = 0};
    char text[24];
    if (!stream_number_parse(slice_make(data, size), &number))
        return 0;
    int digits = snprintf(text, sizeof(text), "%" PRIu64, number.number);
    check(number.producer.data == data && number.producer.size < size);
    check((size_t)digits < size && memcmp(data + size - digits, text, (size_t)digits) == 0);
    return 0;
}
