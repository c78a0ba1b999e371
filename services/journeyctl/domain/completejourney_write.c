/* One row with what is joined to it, as a track call. */
#include "completejourney.h"

#include <stdio.h>
#include <stdlib.h>

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
    json_write_int(w, completejourney_cents(quantity) / 100);
    write_money(w, "amount", completejourney_cents(csv_cell(table, row, columns[T_SALES])));
    write_money(w, "coupon_discount",
                completejourney_cents(csv_cell(table, row, columns[T_DISCOUNT])));
    json_end_object(w);
    json_end_array(w);
}

void completejourney_write(const struct dataset *dataset, const struct dataset_event *event,
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
