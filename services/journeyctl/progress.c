#include "ctl.h"
#include "sender.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH     30
#define LINE_EVERY_US (5 * SECOND_US)

void progress_line(int64_t started_us, double part, const char *text, bool last)
{
    static int64_t said_us;
    int64_t now_us = clock_system()->now_us(clock_system());
    double seconds = (double)max_i64(now_us - started_us, 1) / SECOND_US;
    bool terminal = isatty(STDERR_FILENO) == 1;
    if (!terminal && !last && now_us - max_i64(said_us, started_us) < LINE_EVERY_US)
        return;
    said_us = now_us;
    if (!terminal) {
        (void)fprintf(stderr, "%s\n", text);
        return;
    }
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    int full = (int)(part * BAR_WIDTH);
    (void)fprintf(stderr, "\r\033[K[%.*s%.*s] %3.0f %%  %s", full, "##############################",
                  BAR_WIDTH - full, "..............................", part * 100, text);
    if (last)
        (void)fputc('\n', stderr);
    else if (part > 0)
        (void)fprintf(stderr, ", %.0f s left", seconds / part - seconds);
    (void)fflush(stderr);
}

void progress_show(const struct sender_figures *figures, bool last)
{
    char text[100];
    int64_t now_us = clock_system()->now_us(clock_system());
    double seconds = (double)max_i64(now_us - figures->started_us, 1) / SECOND_US;
    double part = figures->total ? (double)figures->sent / (double)figures->total : 1;
    (void)snprintf(text, sizeof(text), "%zu of %zu events, %.0f a second", figures->sent,
                   figures->total, (double)figures->sent / seconds);
    progress_line(figures->started_us, part, text, last);
}
