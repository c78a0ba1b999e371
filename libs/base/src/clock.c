/* The system's clock and randomness, and numbers from a seed. */
#include "base.h"
#include <sodium.h>
#include <time.h>

static int64_t system_now_us(struct clock *clock)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0; /* cannot fail on Linux */
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

struct clock *clock_system(void)
{
    static struct clock clock = {system_now_us};
    return &clock;
}

/* The kernel is asked for a page at a time: a request's trace id would else cost a system call of its own. */
static void system_fill(struct entropy *entropy, void *data, size_t size)
{
    static _Thread_local uint8_t pool[4096];
    static _Thread_local size_t left;
    if (size > sizeof(pool) / 8) {
        randombytes_buf(data, size);
        return;
    }
    if (size > left) {
        randombytes_buf(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= size;
    memcpy(data, pool + left, size);
    sodium_memzero(pool + left, size); /* what was given once is given to nobody else */
}

struct entropy *entropy_system(void)
{
    static struct entropy entropy = {system_fill};
    return &entropy;
}

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
