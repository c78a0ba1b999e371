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
#include "dataset.h"
#include "index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
static const char *const TRANSACTION_COLUMNS[T_N] = {
    "household_id",          "basket_id", "product_id", "quantity", "sales_value",
    "transaction_timestamp", "store_id",  "coupon_disc"};
enum {
    C_CAMPAIGN,
    C_HOUSEHOLD,
    C_N
};
static const char *const CAMPAIGN_COLUMNS[C_N] = {"campaign_id", "household_id"};
enum {
    R_HOUSEHOLD,
    R_COUPON,
    R_CAMPAIGN,
    R_DATE,
    R_N
};
static const char *const REDEMPTION_COLUMNS[R_N] = {"household_id", "coupon_upc", "campaign_id",
                                                    "redemption_date"};
enum {
    D_CAMPAIGN,
    D_TYPE,
    D_START,
    D_END,
    D_N
};
static const char *const DESCRIPTION_COLUMNS[D_N] = {"campaign_id", "campaign_type", "start_date",
                                                     "end_date"};

struct joined {
    unsigned transactions[T_N], campaigns[C_N], redemptions[R_N], descriptions[D_N];
    struct index baskets;                               /* basket → place in cents */
    int64_t *cents;                                     /* a basket's sum */
    struct index campaigns_by_id, products, households; /* → row */
};

/* 3.86 → 386; what is no number is nothing. */
static int64_t cents(struct slice cell)
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
        joined->cents[place] += cents(csv_cell(table, row, joined->transactions[T_SALES]));
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

/* ---- writing ---- */

static void write_money(struct json_writer *w, const char *key, int64_t amount)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%s%lld.%02lld", amount < 0 ? "-" : "",
                        (long long)llabs(amount) / 100, (long long)llabs(amount) % 100);
    json_key(w, key);
    json_write_raw(w, slice_make(text, (size_t)size));
}

/* The named columns of a joined row, under the same or another name. */
static void write_joined(const struct dataset *dataset, enum file file, const struct index *index,
                         struct slice id, const char *const (*names)[2], unsigned n,
                         struct json_writer *w)
{
    uint32_t row;
    if (!index_get(index, id, &row))
        return;
    for (unsigned i = 0; i < n; i++) {
        int column = csv_column(&dataset->tables[file], names[i][0]);
        if (column >= 0)
            dataset_write_cell(w, names[i][1],
                               csv_cell(&dataset->tables[file], row, (unsigned)column));
    }
}

static void write_campaign(const struct dataset *dataset, struct slice campaign,
                           struct json_writer *w)
{
    static const char *const names[][2] = {
        {"campaign_type", "campaign_type"}, {"start_date", "starts_on"}, {"end_date", "ends_on"}};
    const struct joined *j = dataset->joined;
    dataset_write_cell(w, "campaign_id", campaign);
    write_joined(dataset, DESCRIPTIONS, &j->campaigns_by_id, campaign, names, ARRAY_SIZE(names), w);
}

static void write_targeted(const struct dataset *dataset, uint32_t row, struct json_writer *w)
{
    static const char *const names[][2] = {{"age", "age_group"},
                                           {"income", "income_group"},
                                           {"household_size", "household_size"},
                                           {"kids_count", "kids_count"}};
    const struct joined *j = dataset->joined;
    const struct csv_table *table = &dataset->tables[CAMPAIGNS];
    write_campaign(dataset, csv_cell(table, row, j->campaigns[C_CAMPAIGN]), w);
    write_joined(dataset, DEMOGRAPHICS, &j->households,
                 csv_cell(table, row, j->campaigns[C_HOUSEHOLD]), names, ARRAY_SIZE(names), w);
}

static void write_redeemed(const struct dataset *dataset, uint32_t row, struct json_writer *w)
{
    const struct joined *j = dataset->joined;
    const struct csv_table *table = &dataset->tables[REDEMPTIONS];
    dataset_write_cell(w, "coupon_id", csv_cell(table, row, j->redemptions[R_COUPON]));
    write_campaign(dataset, csv_cell(table, row, j->redemptions[R_CAMPAIGN]), w);
}

static void write_ordered(const struct dataset *dataset, uint32_t row, struct json_writer *w)
{
    static const char *const names[][2] = {{"product_type", "name"},
                                           {"product_category", "category"},
                                           {"department", "department"},
                                           {"brand", "brand"},
                                           {"package_size", "package_size"}};
    const struct joined *j = dataset->joined;
    const struct csv_table *table = &dataset->tables[TRANSACTIONS];
    const unsigned *columns = j->transactions;
    struct slice product = csv_cell(table, row, columns[T_PRODUCT]);
    struct slice quantity = csv_cell(table, row, columns[T_QUANTITY]);
    uint32_t basket = 0;
    bool known = index_get(&j->baskets, csv_cell(table, row, columns[T_BASKET]), &basket);
    dataset_write_cell(w, "order_id", csv_cell(table, row, columns[T_BASKET]));
    if (known)
        write_money(w, "total", j->cents[basket]);
    json_key(w, "currency");
    json_write_str(w, "USD");
    dataset_write_cell(w, "store_id", csv_cell(table, row, columns[T_STORE]));
    json_key(w, "products");
    json_begin_array(w);
    json_begin_object(w);
    dataset_write_cell(w, "product_id", product);
    write_joined(dataset, PRODUCTS, &j->products, product, names, ARRAY_SIZE(names), w);
    json_key(w, "quantity");
    json_write_int(w, cents(quantity) / 100);
    write_money(w, "amount", cents(csv_cell(table, row, columns[T_SALES])));
    write_money(w, "coupon_discount", cents(csv_cell(table, row, columns[T_DISCOUNT])));
    json_end_object(w);
    json_end_array(w);
}

static void write(const struct dataset *dataset, const struct dataset_event *event,
                  int64_t shift_us, struct json_writer *w)
{
    static const struct {
        const char *prefix, *name;
        void (*properties)(const struct dataset *dataset, uint32_t row, struct json_writer *w);
    } kinds[] = {
        [TARGETED] = {"completejourney-campaign", "Campaign Targeted", write_targeted},
        [REDEEMED] = {"completejourney-redemption", "Coupon Redeemed", write_redeemed},
        [ORDERED] = {"completejourney-transaction", "Order Completed", write_ordered},
    };
    dataset_write_head(event, kinds[event->kind].prefix, slice_str(kinds[event->kind].name),
                       shift_us, w);
    json_key(w, "properties");
    json_begin_object(w);
    kinds[event->kind].properties(dataset, event->row, w);
    json_end_object(w);
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
    .write = write,
    .deinit = deinit,
};
