#pragma once
/* "Did my event arrive?": what came in lately of one tenant, and what became of it. */
#include "exchange.h"

void recent_run(struct exchange *exchange);
/* The page that shows it. */
void recent_page(struct exchange *exchange);
