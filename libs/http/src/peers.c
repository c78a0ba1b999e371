/* Connections by address: a table of chains, with an entry for each address that has any. */
#include "server_internal.h"
#include <stdlib.h>

#define TABLE_MAX 65536

struct peer {
    struct peer *chain;
    uint8_t owner[16];
    unsigned n;
};

struct http_peers {
    unsigned mask;
    struct peer *table[];
};

struct http_peers *http_peers_create(unsigned connections)
{
    unsigned size = 16;
    while (size < connections && size < TABLE_MAX)
        size *= 2;
    struct http_peers *peers = calloc(1, sizeof(*peers) + size * sizeof(peers->table[0]));
    if (peers)
        peers->mask = size - 1;
    return peers;
}

void http_peers_destroy(struct http_peers **out)
{
    struct http_peers *peers = *out;
    *out = NULL;
    for (unsigned i = 0; peers && i <= peers->mask; i++) {
        while (peers->table[i]) {
            struct peer *peer = peers->table[i];
            peers->table[i] = peer->chain;
            free(peer);
        }
    }
    free(peers);
}

static struct peer **place(struct http_peers *peers, const uint8_t owner[16])
{
    struct peer **at = &peers->table[hash64(owner, 16, 0) & peers->mask];
    while (*at && memcmp((*at)->owner, owner, 16) != 0)
        at = &(*at)->chain;
    return at;
}

bool http_peers_add(struct http_peers *peers, const uint8_t owner[16], unsigned limit)
{
    struct peer **at = place(peers, owner);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            return false;
        memcpy((*at)->owner, owner, 16);
    }
    if ((*at)->n >= limit)
        return false;
    (*at)->n++;
    return true;
}

void http_peers_remove(struct http_peers *peers, const uint8_t owner[16])
{
    struct peer **at = place(peers, owner), *peer = *at;
    if (peer && --peer->n == 0) {
        *at = peer->chain;
        free(peer);
    }
}
