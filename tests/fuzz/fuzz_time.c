/* Any bytes as a time: what is taken lies in the range, and its text reads back as the same time. */
#include "base.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t time, again;
    int32_t offset;
    char text[TIME_TEXT_SIZE];
    if (size >= sizeof(time)) { /* the bytes as a number: any must have a text */
        memcpy(&time, data, sizeof(time));
        time_format(text, time);
    }
    if (time_parse(&time, &offset, slice_make(data, size)) < 0)
        return 0;
    if (time < 0 || offset < -DAY_US / SECOND_US || offset > DAY_US / SECOND_US)
        abort();
    time_format(text, time);
    if (time_parse(&again, NULL, slice_str(text)) < 0 || again != time)
        abort();
    return 0;
}
