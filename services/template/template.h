#pragma once
/* The template service: counters by command. All that a service over the log needs, and nothing else. */
#include "stream.h"

extern const struct stream_service template_service;
extern const struct store_table template_counts;
