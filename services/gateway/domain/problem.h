#pragma once
/* Errors as answers: RFC 9457, with a stable code. */
#include "fault.h"
#include "json.h"

/* GW_PROBLEM(id, "code", status, "Title", retry after s or 0) */
#define GW_PROBLEM_TABLE(PROBLEM)                                                                  \
    PROBLEM(INVALID_REQUEST, "invalid_request", 400, "Invalid request", 0)                         \
    PROBLEM(TOO_COMPLEX, "too_complex", 400, "Too complex", 0)                                     \
    PROBLEM(UNAUTHORIZED, "unauthorized", 401, "Unauthorized", 0)                                  \
    PROBLEM(FORBIDDEN, "forbidden", 403, "Forbidden", 0)                                           \
    PROBLEM(CONSENT_REQUIRED, "consent_required", 403, "Consent required", 0)                      \
    PROBLEM(NOT_FOUND, "not_found", 404, "Not found", 0)                                           \
    PROBLEM(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "Method not allowed", 0)                \
    PROBLEM(ILLEGAL_TRANSITION, "illegal_transition", 409, "Illegal transition", 0)                \
    PROBLEM(SESSION_ENDED, "session_ended", 409, "Session ended", 0)                               \
    PROBLEM(CONFLICT, "conflict", 409, "Conflict", 0)                                              \
    PROBLEM(TOO_LARGE, "too_large", 413, "Too large", 0)                                           \
    PROBLEM(KEY_REUSED, "key_reused", 422, "Idempotency key reused", 0)                            \
    PROBLEM(RATE_LIMITED, "rate_limited", 429, "Too many requests", 1)                             \
    PROBLEM(INTERNAL, "internal", 500, "Internal error", 0)                                        \
    PROBLEM(UNAVAILABLE, "unavailable", 503, "Unavailable", 1)

enum gw_problem {
#define GW_PROBLEM_ENUM(id, ...) GW_PROBLEM_##id,
    GW_PROBLEM_TABLE(GW_PROBLEM_ENUM)
#undef GW_PROBLEM_ENUM
    GW_PROBLEM_COUNT
};

struct gw_problem_info {
    const char *code;
    int status;
    const char *title;
    int retry_after_s;
};

const struct gw_problem_info *gw_problem_info(enum gw_problem problem);
/* By code; INTERNAL when unknown: a service said something that is not in the contract. */
enum gw_problem gw_problem_find(const char *code);
/* The JSON document; faults may be NULL. */
void gw_problem_write(struct buf *out, enum gw_problem problem, const char *detail,
                      const struct gw_faults *faults);
