#pragma once
/* A file of places in MaxMind's format (version 2.0), for tests. */
#include "base.h"

struct mmdb_place {
    const char *network; /* "203.0.113.0" or "2001:db8:1::" */
    int bits;            /* of it that count, IPv4 from 96 on: 120 is a /24 */
    const char *country, *region, *city;
};

void mmdb_write(const char *path, const struct mmdb_place *places, unsigned n);
