#include "domain/dataset.h"
#include "test.h"

#include <stdio.h>

/* A data set from texts by file, as small as it can be. */
static int build(struct dataset *dataset, const struct dataset_form *form,
                 char texts[DATASET_MAX_FILES][400], struct err *err)
{
    *dataset = (struct dataset){.form = form};
    for (unsigned i = 0; i < DATASET_MAX_FILES; i++)
        if (texts[i][0])
            assert_int_equal(csv_table_parse(&dataset->tables[i], texts[i], strlen(texts[i]), err),
                             0);
    return dataset_build(dataset, err);
}

static void assert_event(const struct dataset *dataset, size_t i, int64_t shift_us,
                         const char *wanted)
{
    struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    json_begin_object(&w);
    dataset->form->write(dataset, &dataset->events[i], shift_us, &w);
    json_end_object(&w);
    assert_string_equal((const char *)out.data, wanted);
    buf_deinit(&out);
}

static void test_retentioneering(void **state)
{
    char texts[DATASET_MAX_FILES][400] = {"user_id,session_id,event,timestamp,platform\n"
                                          "u1,s1,home,2024-03-13 10:21:14,desktop\n"
                                          "u2,s2,cart,2024-03-13 10:21:13,NA\n"};
    struct dataset dataset;
    struct err err;
    assert_int_equal(build(&dataset, &dataset_retentioneering, texts, &err), 0);
    assert_int_equal(dataset.n_events, 2);
    assert_event(&dataset, 0, 0,
                 "{\"type\":\"track\",\"messageId\":\"retentioneering-2\",\"anonymousId\":\"u2\","
                 "\"event\":\"cart\",\"timestamp\":\"2024-03-13T10:21:13.000Z\","
                 "\"properties\":{\"recorded_session\":\"s2\"}}");
    assert_event(&dataset, 1, DAY_US,
                 "{\"type\":\"track\",\"messageId\":\"retentioneering-1\",\"anonymousId\":\"u1\","
                 "\"event\":\"home\",\"timestamp\":\"2024-03-14T10:21:14.000Z\","
                 "\"properties\":{\"recorded_session\":\"s1\",\"platform\":\"desktop\"}}");
    dataset_deinit(&dataset);
}

static void test_completejourney(void **state)
{
    char texts[DATASET_MAX_FILES][400] = {
        "\"household_id\",\"store_id\",\"basket_id\",\"product_id\",\"quantity\",\"sales_value\","
        "\"coupon_disc\",\"transaction_timestamp\"\n"
        "\"7\",\"3\",\"b1\",\"p1\",2,1.1,0,\"2017-03-03T00:00:00\"\n"
        "\"8\",\"3\",\"b2\",\"p1\",1,5,0,\"2017-03-04T10:00:00\"\n"
        "\"7\",\"3\",\"b1\",\"p2\",1,2.25,0.5,\"2017-03-03T00:00:00\"\n",
        "\"campaign_id\",\"household_id\"\n\"1\",\"7\"\n",
        "\"household_id\",\"coupon_upc\",\"campaign_id\",\"redemption_date\"\n"
        "\"7\",\"c9\",\"1\",2017-03-03\n",
        "\"campaign_id\",\"campaign_type\",\"start_date\",\"end_date\"\n"
        "\"1\",\"Type B\",2017-03-03,2017-04-09\n",
        "\"product_id\",\"product_type\",\"brand\"\n\"p1\",\"ICE\",NA\n",
        "\"household_id\",\"age\",\"income\"\n\"7\",\"65+\",NA\n",
    };
    struct dataset dataset;
    struct err err;
    assert_int_equal(build(&dataset, &dataset_completejourney, texts, &err), 0);
    assert_int_equal(dataset.n_events, 5);
    assert_event(
        &dataset, 0, 0,
        "{\"type\":\"track\",\"messageId\":\"completejourney-campaign-1\",\"anonymousId\":\"7\","
        "\"event\":\"Campaign Targeted\",\"timestamp\":\"2017-03-03T00:00:00.000Z\","
        "\"properties\":{\"campaign_id\":\"1\",\"campaign_type\":\"Type B\","
        "\"starts_on\":\"2017-03-03\",\"ends_on\":\"2017-04-09\",\"age_group\":\"65+\"}}");
    assert_event(
        &dataset, 1, 0,
        "{\"type\":\"track\",\"messageId\":\"completejourney-redemption-1\",\"anonymousId\":\"7\","
        "\"event\":\"Coupon Redeemed\",\"timestamp\":\"2017-03-03T00:00:00.000Z\","
        "\"properties\":{\"coupon_id\":\"c9\",\"campaign_id\":\"1\",\"campaign_type\":\"Type B\","
        "\"starts_on\":\"2017-03-03\",\"ends_on\":\"2017-04-09\"}}");
    assert_event(&dataset, 2, 0,
                 "{\"type\":\"track\",\"messageId\":\"completejourney-transaction-1\","
                 "\"anonymousId\":\"7\",\"event\":\"Order Completed\","
                 "\"timestamp\":\"2017-03-03T00:00:00.000Z\",\"properties\":{\"order_id\":\"b1\","
                 "\"total\":3.35,\"currency\":\"USD\",\"store_id\":\"3\",\"products\":[{"
                 "\"product_id\":\"p1\",\"name\":\"ICE\",\"quantity\":2,\"amount\":1.10,"
                 "\"coupon_discount\":0.00}]}}");
    assert_int_equal(dataset.events[3].row, 2); /* the same basket, a row later */
    dataset_deinit(&dataset);
}

static void test_errors_name_file_and_row(void **state)
{
    static const struct {
        const char *name, *text, *says;
    } cases[] = {
        {"column", "user_id,event\nu,e\n", "ecom.csv has no column timestamp"},
        {"time", "user_id,event,timestamp\nu,e,2024-01-01\nu,e,soon\n", "ecom.csv, row 2: 'soon'"},
        {"no time", "user_id,event,timestamp\nu,e,NA\n", "row 1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char texts[DATASET_MAX_FILES][400] = {""};
        struct dataset dataset;
        struct err err;
        (void)snprintf(texts[0], sizeof(texts[0]), "%s", cases[i].text);
        assert_case(cases[i].name, build(&dataset, &dataset_retentioneering, texts, &err) < 0);
        assert_case(cases[i].name, strstr(err.message, cases[i].says));
        dataset_deinit(&dataset);
    }
}

static void test_forms_are_found(void **state)
{
    unsigned file;
    assert_ptr_equal(dataset_form_find("completejourney"), &dataset_completejourney);
    assert_null(dataset_form_find("other"));
    assert_ptr_equal(dataset_form_of_file("ecom.csv.gz", &file), &dataset_retentioneering);
    assert_ptr_equal(dataset_form_of_file("campaigns.csv", &file), &dataset_completejourney);
    assert_int_equal(file, 1);
    assert_null(dataset_form_of_file("ecom.csv.bak", &file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retentioneering),
        cmocka_unit_test(test_completejourney),
        cmocka_unit_test(test_errors_name_file_and_row),
        cmocka_unit_test(test_forms_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
