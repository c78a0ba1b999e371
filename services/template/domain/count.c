#include "count.h"

int count_up(int64_t *value, int64_t by, struct err *err)
{
    if (by < 1 || by > 1000)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "by must be 1 to 1000");
    if (*value > COUNT_LIMIT - by)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "the count has reached its limit");
    *value += by;
    return STATUS_OK;
}

int64_t count_kept_until(int64_t last_us)
{
    return last_us + 30 * DAY_US;
}
