#include "pressure.h"

void gw_pressure_confirmed(struct gw_pressure *pressure, int64_t now_us)
{
    pressure->confirmed = true;
    pressure->moved_us = now_us;
}

bool gw_pressure_admit(struct gw_pressure *pressure, const struct gw_pressure_limits *limits,
                       size_t messages, size_t bytes, int64_t now_us)
{
    if (messages == 0)
        pressure->moved_us = now_us;
    bool stalled = messages > 0 && now_us - pressure->moved_us >= limits->stall_us;
    if (!pressure->behind && (bytes >= limits->high || stalled)) {
        pressure->behind = true;
        pressure->confirmed = false;
    } else if (pressure->behind && pressure->confirmed && bytes < limits->low && !stalled) {
        pressure->behind = false;
    }
    return !pressure->behind || messages == 0;
}
