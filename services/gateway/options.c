#include "options.h"

#define ROW(...) CONFIG_ROW(struct gateway_options, __VA_ARGS__)
const struct config_option gateway_options_table[GATEWAY_OPTION_COUNT] = {GATEWAY_OPTIONS(ROW)};
