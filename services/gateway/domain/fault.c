#include "fault.h"

void gw_fault_add(struct gw_faults *faults, const char *field, const char *code,
                  const char *message)
{
    if (faults->n < GW_MAX_FAULTS)
        faults->list[faults->n++] = (struct gw_fault){field ? field : "", code, message};
}
