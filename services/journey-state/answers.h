#pragma once
/* The parts of an HTTP answer that this service owns, and its problems. */
#include "effects.h"

void answer_start(const struct turn *turn);
void answer_stage(const struct turn *turn);
void answer_touchpoint(const struct turn *turn);
void answer_conversion(const struct turn *turn);
void answer_end(const struct turn *turn);
void answer_session(const struct turn *turn);
/* After the batch is committed, from the table. */
void answer_page(const struct turn *turn, int64_t after, int32_t limit);

void answer_not_found(struct stream_decision *decision);
void answer_over(struct stream_decision *decision);
void answer_illegal(struct stream_decision *decision, enum stage from, enum stage to);
void answer_unknown_stage(struct stream_decision *decision);
