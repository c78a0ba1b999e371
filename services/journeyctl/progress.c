#include "ctl.h"
#include "sender.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH     30
#define LINE_EVERY_US (5 * SECOND_US)

void progress_show(const struct sender_figures *figures, bool last)
{
    static int64_t said_us;
    int64_t now_us = clock_system()->now_us(clock_system());
    double seconds = (double)max_i64(now_us - figures->started_us, 1) / SECOND_US;
    double rate = (double)figures->sent / seconds;
    double part = figures->total ? (double)figures->sent / (double)figures->total : 1;
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (!terminal && !last && now_us - max_i64(said_us, figures->started_us) < LINE_EVERY_US)
        return;
    said_us = now_us;
    if (!terminal) {
        (void)fprintf(stderr, "%zu of %zu events, %.0f a second\n", figures->sent, figures->total,
                      rate);
        return;
    }
    int full = (int)(part * BAR_WIDTH);
    double left = rate > 0 ? (double)(figures->total - figures->sent) / rate : 0;
    (void)fprintf(stderr, "\r\033[K[%.*s%.*s] %3.0f %%  %zu of %zu events, %.0f a second", full,
                  "##############################", BAR_WIDTH - full,
                  "..............................", part * 100, figures->sent, figures->total,
                  rate);
    if (last)
        (void)fputc('\n', stderr);
    else if (rate > 0)
        (void)fprintf(stderr, ", %.0f s left", left);
    (void)fflush(stderr);
}
