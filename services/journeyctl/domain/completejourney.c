/*
 * A year of households at a grocer: campaign → coupon → purchase.
 *
 *   campaigns            "Campaign Targeted" at the campaign's start, with what is known of the household
 *   coupon_redemptions   "Coupon Redeemed"
 *   transactions         "Order Completed", an event a row: the basket is the order, each row carries its whole sum
 *   products, campaign_descriptions, demographics: joined, where they are there
 *
 * Times have no zone and are taken as UTC; a day stands for its midnight.
 */
#include "completejourney.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const TRANSACTION_COLUMNS[T_N] = {
    "household_id",          "basket_id", "product_id", "quantity", "sales_value",
    "transaction_timestamp", "store_id",  "coupon_disc"};
static const char *const CAMPAIGN_COLUMNS[C_N] = {"campaign_id", "household_id"};
static const char *const REDEMPTION_COLUMNS[R_N] = {"household_id", "coupon_upc", "campaign_id",
                                                    "redemption_date"};
static const char *const DESCRIPTION_COLUMNS[D_N] = {"campaign_id", "campaign_type", "start_date",
                                                     "end_date"};

/* 3.86 → 386; what is no number is nothing. */
int64_t completejourney_cents(struct slice cell)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%.*s", (int)cell.size,
                   cell.data ? (const char *)cell.data : "");
    double value = strtod(text, NULL);
    return isfinite(value) && fabs(value) < 1e12 ? llround(value * 100) : 0;
}

static int index_column(const struct dataset *dataset, unsigned file, const char *name,
                        struct index *index, struct err *err)
{
    const struct csv_table *table = &dataset->tables[file];
    unsigned column;
    if (table->n_columns == 0)
        return 0;
    int status = dataset_columns(dataset, file, &name, 1, &column, err);
    for (size_t row = 0; status >= 0 && row < table->n_rows; row++)
        if (index_put(index, csv_cell(table, row, column), (uint32_t)row) < 0)
            status = err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory to join %s",
                             dataset->form->files[file].name);
    return status;
}

static int sum_baskets(const struct dataset *dataset, struct joined *joined, struct err *err)
{
    const struct csv_table *table = &dataset->tables[TRANSACTIONS];
    joined->cents = calloc(table->n_rows + 1, sizeof(*joined->cents));
    if (!joined->cents)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the baskets");
    for (size_t row = 0; row < table->n_rows; row++) {
        struct slice basket = csv_cell(table, row, joined->transactions[T_BASKET]);
        uint32_t place = (uint32_t)joined->baskets.count;
        if (!index_get(&joined->baskets, basket, &place) &&
            index_put(&joined->baskets, basket, place) < 0)
            return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the baskets");
        joined->cents[place] +=
            completejourney_cents(csv_cell(table, row, joined->transactions[T_SALES]));
    }
    return 0;
}

static int find_columns(const struct dataset *dataset, struct joined *j, struct err *err)
{
    const struct {
        unsigned file;
        const char *const *names;
        unsigned n, *columns;
    } wanted[] = {
        {TRANSACTIONS, TRANSACTION_COLUMNS, T_N, j->transactions},
        {CAMPAIGNS, CAMPAIGN_COLUMNS, C_N, j->campaigns},
        {REDEMPTIONS, REDEMPTION_COLUMNS, R_N, j->redemptions},
        {DESCRIPTIONS, DESCRIPTION_COLUMNS, D_N, j->descriptions},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        int status = dataset->tables[wanted[i].file].n_columns == 0
                         ? 0
                         : dataset_columns(dataset, wanted[i].file, wanted[i].names, wanted[i].n,
                                           wanted[i].columns, err);
        if (status < 0)
            return status;
    }
    return 0;
}

/* ---- events ---- */

static int add_rows(struct dataset *dataset, enum file file, enum kind kind, unsigned household,
                    unsigned time, struct err *err)
{
    const struct csv_table *table = &dataset->tables[file];
    for (size_t row = 0; row < table->n_rows; row++) {
        struct dataset_event event = {
            .row = (uint32_t)row, .kind = kind, .device = csv_cell(table, row, household)};
        int status = dataset_time(dataset, file, row, time, &event.time_us, err);
        if (status >= 0)
            status = dataset_add(dataset, event, err);
        if (status < 0)
            return status;
    }
    return 0;
}

static int add_campaigns(struct dataset *dataset, const struct joined *j, struct err *err)
{
    const struct csv_table *table = &dataset->tables[CAMPAIGNS];
    for (size_t row = 0; row < table->n_rows; row++) {
        struct slice campaign = csv_cell(table, row, j->campaigns[C_CAMPAIGN]);
        struct dataset_event event = {.row = (uint32_t)row,
                                      .kind = TARGETED,
                                      .device = csv_cell(table, row, j->campaigns[C_HOUSEHOLD])};
        uint32_t description;
        if (!index_get(&j->campaigns_by_id, campaign, &description))
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                           "campaigns.csv, row %zu: its campaign has no description", row + 1);
        int status = dataset_time(dataset, DESCRIPTIONS, description, j->descriptions[D_START],
                                  &event.time_us, err);
        if (status >= 0)
            status = dataset_add(dataset, event, err);
        if (status < 0)
            return status;
    }
    return 0;
}

static int build(struct dataset *dataset, struct err *err)
{
    struct joined *j = dataset->joined = calloc(1, sizeof(*j));
    if (!j)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory");
    int status = find_columns(dataset, j, err);
    if (status >= 0)
        status = sum_baskets(dataset, j, err);
    if (status >= 0)
        status = index_column(dataset, DESCRIPTIONS, "campaign_id", &j->campaigns_by_id, err);
    if (status >= 0)
        status = index_column(dataset, PRODUCTS, "product_id", &j->products, err);
    if (status >= 0)
        status = index_column(dataset, DEMOGRAPHICS, "household_id", &j->households, err);
    if (status >= 0)
        status = add_campaigns(dataset, j, err);
    if (status >= 0)
        status = add_rows(dataset, REDEMPTIONS, REDEEMED, j->redemptions[R_HOUSEHOLD],
                          j->redemptions[R_DATE], err);
    if (status >= 0)
        status = add_rows(dataset, TRANSACTIONS, ORDERED, j->transactions[T_HOUSEHOLD],
                          j->transactions[T_TIME], err);
    return status;
}

static void deinit(struct dataset *dataset)
{
    struct joined *j = dataset->joined;
    if (j) {
        index_deinit(&j->baskets);
        index_deinit(&j->campaigns_by_id);
        index_deinit(&j->products);
        index_deinit(&j->households);
        free(j->cents);
    }
    free(j);
    dataset->joined = NULL;
}

const struct dataset_form dataset_completejourney = {
    .name = "completejourney",
    .describes = "transactions_sample.csv, campaigns.csv, coupon_redemptions.csv, "
                 "campaign_descriptions.csv; products.csv and demographics.csv are joined",
    .files = {[TRANSACTIONS] = {"transactions_sample.csv", true},
              [CAMPAIGNS] = {"campaigns.csv", false},
              [REDEMPTIONS] = {"coupon_redemptions.csv", false},
              [DESCRIPTIONS] = {"campaign_descriptions.csv", false},
              [PRODUCTS] = {"products.csv", false},
              [DEMOGRAPHICS] = {"demographics.csv", false}},
    .build = build,
    .write = completejourney_write,
    .deinit = deinit,
};
