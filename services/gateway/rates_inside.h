#pragma once
#include "buckets.h"
#include "rates.h"

/* In a second of each kind, two requests each; the rest is told in the next ones. */
#define SHARE_MAX 200

struct share {
    struct share_round *round;
    struct bucket_spent spent;
};

/* What was told and not answered yet; the next one waits for it. */
struct share_round {
    struct gateway *gateway;
    struct buckets *buckets;
    unsigned pending;
    struct share list[SHARE_MAX];
};

struct rates {
    struct buckets *keys, *addresses;
    struct share_round rounds[2];
    struct redis *redis;
    bool shared; /* as it was said last */
};
