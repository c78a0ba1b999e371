#pragma once
/*
 * Rates, by token buckets: of each key (its tenant's setting), and of each address for what comes without a valid key.
 *
 *   A request takes one token, one of events one for each event. It is let in while a token is left and then takes what
 *   it needs, so that a batch larger than the burst passes, too; what it owes is waited for.
 *
 * Not counted by address: preflights and paths that there are none of, which cost nothing; to refuse a preflight would
 * silence the pages behind that address.
 */
#include "exchange.h"

#define RATES_ADDRESS_PER_S 50

int rates_create(struct gateway *gateway, struct err *err) MUST_CHECK;
void rates_destroy(struct gateway *gateway);
/* The rate of exchange->key; false: it is used up, which has been answered. */
bool rates_admit(struct exchange *exchange);
/* It turned out to need so many more. */
void rates_charge(struct exchange *exchange, unsigned more);
/* A request without a valid key; false: its address sent too many, which has been answered. */
bool rates_admit_stranger(struct exchange *exchange);
/* Whether the address may still ask for keys that nobody knows yet; takes nothing. false: answered. */
bool rates_admit_guess(struct exchange *exchange);
/* The headers that say how much is left. */
void rates_say(struct exchange *exchange);
/* rates_share.c: once a second, tells the other gateways what was taken, and hears of theirs. */
void rates_share(struct gateway *gateway);
