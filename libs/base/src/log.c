/*
 * Log: one JSON object a line on stderr, written by one write(2), so that lines of threads and of
 * processes that share a pipe do not mix (up to PIPE_BUF). A line too long for the buffer loses its
 * fields and says so.
 */
#include "base.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_LINE_MAX 4096 /* PIPE_BUF on Linux: writes up to it are atomic */
#define LOG_NAME_MAX 128

/* Set once, before threads start. */
static struct {
    char service[LOG_NAME_MAX], instance[LOG_NAME_MAX];
    enum log_level level;
} log_state = {.level = LOG_INFO};

void log_setup(const char *service, const char *instance, enum log_level level)
{
    log_escape(log_state.service, sizeof(log_state.service), service);
    log_escape(log_state.instance, sizeof(log_state.instance), instance);
    log_state.level = level;
}

static size_t log_head(char *line, size_t size, enum log_level level, const char *event,
                       const char *trace)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char now[TIME_TEXT_SIZE], name[LOG_NAME_MAX], id[40] = "";
    struct clock *clock = clock_system();
    time_format(now, clock->now_us(clock));
    log_escape(name, sizeof(name), event);
    log_escape(id, sizeof(id), trace);
    int n = snprintf(line, size,
                     "{\"time\":\"%s\",\"level\":\"%s\",\"service\":\"%s\",\"instance\":\"%s\","
                     "\"event\":\"%s\"%s%s%s",
                     now, names[level], log_state.service, log_state.instance, name,
                     id[0] ? ",\"trace\":\"" : "", id, id[0] ? "\"" : "");
    assert(n > 0 && (size_t)n < size); /* its parts are bounded */
    return (size_t)n;
}

void log_event(enum log_level level, const char *event, const char *trace, const char *fields, ...)
{
    static const char cut[] = ",\"truncated\":true";
    if (level < log_state.level)
        return;
    char line[LOG_LINE_MAX];
    const size_t room = sizeof(line) - 2; /* for the brace and the newline */
    size_t size = log_head(line, room, level, event, trace);
    if (fields && fields[0]) {
        va_list args;
        va_start(args, fields);
        line[size] = ',';
        int n = vsnprintf(line + size + 1, room - size - 1, fields, args);
        va_end(args);
        if (n >= 0 && (size_t)n < room - size - 1) {
            size += 1 + (size_t)n;
        } else {
            memcpy(line + size, cut, sizeof(cut) - 1);
            size += sizeof(cut) - 1;
        }
    }
    line[size++] = '}';
    line[size++] = '\n';
    while (write(STDERR_FILENO, line, size) < 0 && errno == EINTR)
        ;
}

const char *log_escape(char *out, size_t size, const char *text)
{
    assert(size > 0);
    const uint8_t *p = (const uint8_t *)(text ? text : "");
    size_t left = strlen((const char *)p), used = 0;
    while (left) {
        char piece[8];
        size_t taken = utf8_sequence(p, left), n;
        if (taken == 0) { /* not UTF-8 */
            taken = 1;
            n = 3;
            memcpy(piece, "\xef\xbf\xbd", n);
        } else if (*p == '"' || *p == '\\') {
            n = 2;
            piece[0] = '\\';
            piece[1] = (char)*p;
        } else if (*p < 0x20) {
            n = (size_t)snprintf(piece, sizeof(piece), "\\u%04x", *p);
        } else {
            n = taken;
            memcpy(piece, p, n);
        }
        if (used + n >= size)
            break;
        memcpy(out + used, piece, n);
        used += n;
        p += taken;
        left -= taken;
    }
    out[used] = '\0';
    return out;
}
