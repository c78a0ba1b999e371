#pragma once
/* Where a network address is: country, region and city by a file in MaxMind's format (GeoLite2-City and the like). */
#include "base.h"

struct places;
int places_open(struct places **places, const char *path, struct err *err) MUST_CHECK;
void places_close(struct places **places);

struct place {                 /* in the file's memory; empty: not known */
    struct slice country;      /* ISO 3166-1, "DE" */
    struct slice region, city; /* the second part of ISO 3166-2, "BY"; its English name */
};
/* The address as text, IPv4 or IPv6; of what is none or not in the file, nothing. */
struct place places_find(const struct places *places, struct slice address);
