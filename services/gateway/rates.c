#include "domain/address.h"
#include "rates_inside.h"
#include "serve.h"
#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_KEYS      10000
#define MAX_ADDRESSES 20000

static const struct gw_rate address_rate = {RATES_ADDRESS_PER_S, RATES_ADDRESS_PER_S};

int rates_create(struct gateway *gateway, struct err *err)
{
    struct rates *rates = calloc(1, sizeof(*rates));
    gateway->rates = rates;
    if (!rates)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for rates");
    rates->keys = buckets_create(MAX_KEYS);
    rates->addresses = buckets_create(MAX_ADDRESSES);
    rates->redis = gateway->world.redis;
    rates->shared = rates->redis != NULL;
    if (!rates->keys || !rates->addresses)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for rates");
    return 0;
}

void rates_destroy(struct gateway *gateway)
{
    struct rates *rates = gateway->rates;
    if (!rates)
        return;
    buckets_destroy(&rates->keys);
    buckets_destroy(&rates->addresses);
    free(rates);
    gateway->rates = NULL;
}

static void refuse(struct exchange *exchange, enum gateway_refusal refusal, double left,
                   const struct gw_rate *rate, const char *detail)
{
    double wait_s = ceil((1 - left) / (double)rate->per_s);
    stats_refused(exchange->gateway, refusal);
    exchange->retry_after_s = wait_s < 1 ? 1 : (int)wait_s;
    exchange_problem(exchange, GW_PROBLEM_RATE_LIMITED, detail, NULL);
}

/* ---- by key ---- */

static const struct gw_rate *rate_of(const struct gw_key *key)
{
    return key->kind == GW_KEY_SECRET ? &key->tenant.settings.secret : &key->tenant.settings.write;
}

bool rates_admit(struct exchange *exchange)
{
    const struct gw_rate *rate = rate_of(&exchange->key);
    struct buckets *keys = exchange->gateway->rates->keys;
    if (!rate->per_s)
        return true;
    exchange->rate = rate;
    exchange->rate_left = buckets_left(keys, exchange->key_hash, rate, exchange->started_us);
    if (exchange->rate_left < 1) {
        refuse(exchange, GATEWAY_REFUSED_RATE_KEY, exchange->rate_left, rate,
               "This key sends more than its rate");
        return false;
    }
    rates_charge(exchange, 1);
    return true;
}

void rates_charge(struct exchange *exchange, unsigned more)
{
    if (exchange->rate)
        exchange->rate_left = buckets_take(exchange->gateway->rates->keys, exchange->key_hash,
                                           exchange->rate, exchange->started_us, more);
}

/* draft-ietf-httpapi-ratelimit-headers-10 */
void rates_say(struct exchange *exchange)
{
    const struct gw_rate *rate = exchange->rate;
    char text[80];
    if (!rate)
        return;
    double missing = (double)rate->burst - exchange->rate_left;
    long long left = exchange->rate_left > 0 ? (long long)exchange->rate_left : 0;
    (void)snprintf(text, sizeof(text), "\"key\";q=%lld;w=%lld", (long long)rate->burst,
                   (long long)((rate->burst + rate->per_s - 1) / rate->per_s));
    http_response_header(exchange->request, "RateLimit-Policy", text);
    (void)snprintf(text, sizeof(text), "\"key\";r=%lld;t=%.0f", left,
                   ceil(missing / (double)rate->per_s));
    http_response_header(exchange->request, "RateLimit", text);
}

/* ---- by address ---- */

/* A hash, as it leaves this process for Redis. */
static void address_id(uint8_t id[BUCKET_ID], struct exchange *exchange)
{
    uint8_t address[16] = {0}; /* all that have none together */
    struct slice text = request_address(exchange->gateway, exchange->request);
    if (gw_address_parse(address, text) >= 0)
        gw_address_owner(address, address);
    const struct slice parts[] = {SLICE_LITERAL("rate of an address"),
                                  slice_make(address, sizeof(address))};
    hash_keyed(id, NULL, parts, ARRAY_SIZE(parts));
}

static bool admit_address(struct exchange *exchange, double n)
{
    uint8_t id[BUCKET_ID];
    struct buckets *addresses = exchange->gateway->rates->addresses;
    address_id(id, exchange);
    double left = buckets_left(addresses, id, &address_rate, exchange->started_us);
    if (left < 1) {
        refuse(exchange, GATEWAY_REFUSED_RATE_ADDRESS, left, &address_rate,
               "This address sends too much without a valid key");
        return false;
    }
    if (n > 0)
        (void)buckets_take(addresses, id, &address_rate, exchange->started_us, n);
    return true;
}

bool rates_admit_stranger(struct exchange *exchange)
{
    return admit_address(exchange, 1);
}

bool rates_admit_guess(struct exchange *exchange)
{
    return admit_address(exchange, 0);
}
