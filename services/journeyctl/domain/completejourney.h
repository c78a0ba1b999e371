#pragma once
/* completejourney: what building its events (completejourney.c) and writing them (completejourney_write.c) share. */
#include "dataset.h"
#include "index.h"

enum file {
    TRANSACTIONS,
    CAMPAIGNS,
    REDEMPTIONS,
    DESCRIPTIONS,
    PRODUCTS,
    DEMOGRAPHICS
};
/* Also the order of what happens at one instant. */
enum kind {
    TARGETED,
    REDEEMED,
    ORDERED
};

enum {
    T_HOUSEHOLD,
    T_BASKET,
    T_PRODUCT,
    T_QUANTITY,
    T_SALES,
    T_TIME,
    T_STORE,
    T_DISCOUNT,
    T_N
};
enum {
    C_CAMPAIGN,
    C_HOUSEHOLD,
    C_N
};
enum {
    R_HOUSEHOLD,
    R_COUPON,
    R_CAMPAIGN,
    R_DATE,
    R_N
};
enum {
    D_CAMPAIGN,
    D_TYPE,
    D_START,
    D_END,
    D_N
};

struct joined {
    unsigned transactions[T_N], campaigns[C_N], redemptions[R_N], descriptions[D_N];
    struct index baskets;                               /* basket → place in cents */
    int64_t *cents;                                     /* a basket's sum */
    struct index campaigns_by_id, products, households; /* → row */
};

int64_t completejourney_cents(struct slice cell);
void completejourney_write(const struct dataset *dataset, const struct dataset_event *event,
                           int64_t shift_us, struct json_writer *w);
