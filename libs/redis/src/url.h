#pragma once
#include "redis.h"

struct redis_url {
    char host[256], user[128], password[256]; /* empty: none */
    int port, database;
};
int redis_url_parse(struct redis_url *url, const char *text, struct err *err) MUST_CHECK;
