#pragma once
/* Hashes of identifiers, for those who may find a person: POST /api/v1/identifiers/resolve. Audited. */
#include "exchange.h"

void identifiers_resolve(struct exchange *exchange);
/* Gives up what is under way: the store is gone. */
void identifiers_destroy(struct gateway *gateway);

extern const struct store_table audit_logs_table;
