#pragma once
/*
 * Keys of subjects, under which personal data is sealed: from memory (at most a minute), else got or made in the vault by
 * one call for all that are asked for together. They never reach Kafka, Redis or a log.
 */
#include "exchange.h"

struct vault_subject {
    uint8_t id[16]; /* the user's hash, else the device's; of dead letters vault_day() */
    const uint8_t *
        key; /* 32 bytes, in the exchange's arena, once it is there; NULL then: the subject was erased, and what
                           would be sealed for it is left out */
};

/* Fills in the keys and calls ready(): at once, from inside, when memory has them all. When the vault cannot be asked,
 * the exchange is answered with 503 instead. The subjects stay where they are until then: in the exchange's arena. */
void vault_find(struct exchange *exchange, struct vault_subject *subjects, unsigned n,
                void (*ready)(struct exchange *exchange));
/* The subject of what is sealed whole on the day of `now_us`, because nobody knows yet whose it is. */
void vault_day(uint8_t subject[16], int64_t now_us);

/* ERR_INVALID, ERR_NOT_FOUND: no usable master key. */
int vault_create(struct gateway *gateway, struct err *err) MUST_CHECK;
/* Gives up what is under way: the store is gone. */
void vault_destroy(struct gateway *gateway);

extern const struct store_table vault_table;
