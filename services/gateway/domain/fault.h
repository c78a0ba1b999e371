#pragma once
/* What is wrong with a body: one entry a fault, each naming its field. */
#include "base.h"

#define GW_MAX_FAULTS 32

struct gw_fault {
    const char *field; /* "persona.type"; "" is the body itself */
    const char *code;  /* stable */
    const char *message;
};

/* Texts are borrowed or in the arena. Past the limit further faults are not listed. */
struct gw_faults {
    struct gw_fault list[GW_MAX_FAULTS];
    unsigned n;
};

void gw_fault_add(struct gw_faults *faults, const char *field, const char *code,
                  const char *message);
