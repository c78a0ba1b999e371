#pragma once
/* What was sealed, opened for operators. */
#include "privacy.h"
#include "tenants.h"

/* The key of a subject, out of the vault; says why there is none. Overwrite it afterwards. */
int subject_key(struct ctl *ctl, const struct tenant *tenant, const uint8_t subject[16],
                uint8_t key[PRIVACY_KEY_SIZE]) MUST_CHECK;
