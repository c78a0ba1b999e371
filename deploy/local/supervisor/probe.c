/* Asks a process whether it is ready: one connection at a time, never blocking. */
#include "supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_STARTING_MS 50
#define PROBE_UP_MS       2000
#define PROBE_TIMEOUT_MS  1500

void probe_end(struct supervisor *s, struct process *p, bool ok)
{
    (void)close(p->probe);
    p->probe = -1;
    p->probe_due = s->now + (p->state == STATE_STARTING ? PROBE_STARTING_MS : PROBE_UP_MS);
    if (ok)
        process_becomes(s, p, STATE_UP);
    else if (p->state == STATE_UP)
        process_becomes(s, p, STATE_UNREADY);
}

static void probe_begin(struct supervisor *s, struct process *p)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)p->ready_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    p->probe = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    p->probe_asked = false;
    p->probe_until = s->now + PROBE_TIMEOUT_MS;
    if (p->probe < 0 ||
        (connect(p->probe, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
        probe_end(s, p, false);
}

void probe_continue(struct supervisor *s, struct process *p)
{
    char text[512];
    int error = 0;
    socklen_t size = sizeof error;
    if (!p->probe_asked) {
        if (getsockopt(p->probe, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
            probe_end(s, p, false);
        } else if (p->ready == READY_TCP) {
            probe_end(s, p, true);
        } else {
            int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
                             p->ready_text);
            if (send(p->probe, text, (size_t)n, MSG_NOSIGNAL) != n)
                probe_end(s, p, false);
            p->probe_asked = true;
        }
        return;
    }
    ssize_t n = recv(p->probe, text, sizeof text - 1, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    text[n > 0 ? n : 0] = '\0';
    probe_end(s, p, strncmp(text, "HTTP/1.", 7) == 0 && strncmp(text + 8, " 200", 4) == 0);
}

bool probe_wanted(const struct process *p)
{
    return (p->ready == READY_TCP || p->ready == READY_HTTP) && p->pid &&
           p->state != STATE_STOPPING;
}

void probe_tick(struct supervisor *s, struct process *p)
{
    if (p->probe >= 0 && s->now >= p->probe_until)
        probe_end(s, p, false);
    if (p->probe < 0 && s->now >= p->probe_due)
        probe_begin(s, p);
}
