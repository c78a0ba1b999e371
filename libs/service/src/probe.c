/* Is there a broker? Clients of Kafka answer that only by time-outs, some of which block. */
#include "internal.h"
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PROBE_S 2

static bool accepts(const struct addrinfo *address)
{
    struct timeval limit = {PROBE_S, 0};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* on Linux the limit of sending is that of connecting too */
    bool yes = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
               connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    close(fd);
    return yes;
}

/* "host", "host:port", "[address]:port", each perhaps after "PLAINTEXT://" */
static bool probe_one(char *broker)
{
    char *scheme = strstr(broker, "://"), *host = scheme ? scheme + 3 : broker;
    char *port = strrchr(host, ':'), *end = host[0] == '[' ? strchr(host, ']') : NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    bool yes = false;
    if (port && port > end)
        *port++ = 0;
    else
        port = NULL;
    if (end) {
        host++;
        *end = 0;
    }
    if (getaddrinfo(host, port ? port : "9092", &hints, &found) != 0)
        return false;
    for (struct addrinfo *a = found; a && !yes; a = a->ai_next)
        yes = accepts(a);
    freeaddrinfo(found);
    return yes;
}

int service_probe(const char *brokers, struct err *err)
{
    char text[1024], *rest = text, *broker;
    (void)snprintf(text, sizeof(text), "%s", brokers);
    while ((broker = strsep(&rest, ", "))) {
        if (broker[0] && probe_one(broker))
            return STATUS_OK;
    }
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "no broker of %.200s accepts",
                   brokers);
}
