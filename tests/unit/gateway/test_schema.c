/* The bodies of the session routes as a truth table: which faults each body has, in order. */
#include "domain/bodies.h"

#include "test.h"

struct body_case {
    const char *name, *body, *faults; /* "field=code field=code" */
};

#define SESSION  "\"session_id\":\"s1\""
#define PERSONA  "\"persona\":{\"type\":\"TechEarlyAdopter\",\"confidence\":0.85}"
#define DEVICE   "\"device_context\":{\"type\":\"mobile\",\"screen_size\":\"375x812\"}"
#define ENTRY    "\"entry_point\":{\"source\":\"tiktok\",\"campaign\":\"c1\"}"
#define START(x) "{" SESSION "," PERSONA "," DEVICE "," ENTRY x "}"
#define HUNDRED                                                                                    \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"

static const struct body_case starts[] = {
    {"founding minimal", START(""), ""},
    {"literal",
     START(",\"utm_data\":{},\"referrer_data\":{\"referrer_video\":\"v1\"},\"intent_signals\":{},"
           "\"returning_visitor_indicators\":{\"visit_count\":3,\"last_visit\":\"2026-01-02T03:04:"
           "05Z\",\"previous_purchases\":1,\"known_customer\":true},\"user_id\":null,"
           "\"timestamp\":\"2026-01-02T03:04:05+02:00\""),
     ""},
    {"empty", "{}",
     "session_id=required persona.type=required device_context.type=required "
     "entry_point.source=required"},
    {"no object", "[]", "=wrong_type"},
    {"text", "\"x\"", "=wrong_type"},
    {"session id empty", "{\"session_id\":\"\"," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=required"},
    {"session id number", "{\"session_id\":7," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=wrong_type"},
    {"session id null", "{\"session_id\":null," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=required"},
    {"session id of 100", "{\"session_id\":\"" HUNDRED "\"," PERSONA "," DEVICE "," ENTRY "}", ""},
    {"session id of 101", "{\"session_id\":\"" HUNDRED "a\"," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=too_long"},
    {"session id with NUL", "{\"session_id\":\"a\\u0000b\"," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=invalid_characters"},
    {"session id with half a pair", "{\"session_id\":\"\\ud800\"," PERSONA "," DEVICE "," ENTRY "}",
     "session_id=invalid_characters"},
    {"session id with a pair",
     "{\"session_id\":\"\\ud83d\\ude00\"," PERSONA "," DEVICE "," ENTRY "}", ""},
    {"persona no object", "{" SESSION ",\"persona\":\"x\"," DEVICE "," ENTRY "}",
     "persona=wrong_type"},
    {"confidence over 1",
     "{" SESSION ",\"persona\":{\"type\":\"a\",\"confidence\":1.01}," DEVICE "," ENTRY "}",
     "persona.confidence=out_of_range"},
    {"confidence below 0",
     "{" SESSION ",\"persona\":{\"type\":\"a\",\"confidence\":-0.1}," DEVICE "," ENTRY "}",
     "persona.confidence=out_of_range"},
    {"confidence text",
     "{" SESSION ",\"persona\":{\"type\":\"a\",\"confidence\":\"0.5\"}," DEVICE "," ENTRY "}",
     "persona.confidence=wrong_type"},
    {"confidence null",
     "{" SESSION ",\"persona\":{\"type\":\"a\",\"confidence\":null}," DEVICE "," ENTRY "}", ""},
    {"device unknown",
     "{" SESSION "," PERSONA ",\"device_context\":{\"type\":\"watch\"}," ENTRY "}",
     "device_context.type=not_allowed"},
    {"device part of a word",
     "{" SESSION "," PERSONA ",\"device_context\":{\"type\":\"mob\"}," ENTRY "}",
     "device_context.type=not_allowed"},
    {"device tablet",
     "{" SESSION "," PERSONA ",\"device_context\":{\"type\":\"tablet\"}," ENTRY "}", ""},
    {"video object",
     START(",\"referrer_data\":{\"referrer_video\":{\"id\":\"v1\",\"claim\":\"x\"}}"), ""},
    {"video object without id", START(",\"referrer_data\":{\"referrer_video\":{}}"),
     "referrer_data.referrer_video.id=required"},
    {"video number", START(",\"referrer_data\":{\"referrer_video\":1}"),
     "referrer_data.referrer_video=wrong_type"},
    {"video at the entry point",
     "{" SESSION "," PERSONA "," DEVICE
     ",\"entry_point\":{\"source\":\"tiktok\",\"referrer_video\":\"v1\"}}",
     ""},
    {"signals", START(",\"intent_signals\":{\"a\":1,\"b\":true,\"c\":-2.5}"), ""},
    {"signal text", START(",\"intent_signals\":{\"a\":\"1\"}"), "intent_signals.a=wrong_type"},
    {"signal too large to keep", START(",\"intent_signals\":{\"a\":1e400}"),
     "intent_signals=out_of_range"},
    {"visits below 0", START(",\"returning_visitor_indicators\":{\"visit_count\":-1}"),
     "returning_visitor_indicators.visit_count=out_of_range"},
    {"visits not whole", START(",\"returning_visitor_indicators\":{\"visit_count\":1.5}"),
     "returning_visitor_indicators.visit_count=wrong_type"},
    {"known customer text", START(",\"returning_visitor_indicators\":{\"known_customer\":\"yes\"}"),
     "returning_visitor_indicators.known_customer=wrong_type"},
    {"user id number", START(",\"user_id\":5"), "user_id=wrong_type"},
    {"time bad", START(",\"timestamp\":\"yesterday\""), "timestamp=invalid_time"},
    {"time number", START(",\"timestamp\":1700000000"), "timestamp=wrong_type"},
    {"utm list", START(",\"utm_data\":[]"), "utm_data=wrong_type"},
    {"NUL deep inside", START(",\"utm_data\":{\"a\":[{\"b\":\"\\u0000\"}]}"),
     "utm_data=invalid_characters"},
    {"escaped backslash before u0000", START(",\"utm_data\":{\"a\":\"\\\\u0000\"}"), ""},
    {"unknown members", START(",\"x\":1,\"y\":{\"z\":\"\\u0000\"}"), ""},
    {"two faults", START(",\"user_id\":5,\"timestamp\":\"x\""),
     "user_id=wrong_type timestamp=invalid_time"},
};

static const struct body_case stages[] = {
    {"literal",
     "{\"new_stage\":\"consideration\",\"trigger_event\":\"product_gallery_viewed\","
     "\"engagement_metrics\":{\"time_on_page\":45,\"scroll_depth\":0.8,\"interaction_count\":3,"
     "\"engagement_score\":0.7},\"contextual_data\":{\"item_id\":\"p1\"}}",
     ""},
    {"without optional members",
     "{\"new_stage\":\"decision\",\"trigger_event\":\"x\",\"engagement_metrics\":{\"time_on_page\":"
     "45,"
     "\"scroll_depth\":0.8,\"interaction_count\":3}}",
     ""},
    {"empty", "{}", "new_stage=required trigger_event=required"},
    {"no such stage", "{\"new_stage\":\"purchase\",\"trigger_event\":\"x\"}",
     "new_stage=not_allowed"},
    {"stage in capitals", "{\"new_stage\":\"Decision\",\"trigger_event\":\"x\"}",
     "new_stage=not_allowed"},
    {"stage number", "{\"new_stage\":1,\"trigger_event\":\"x\"}", "new_stage=wrong_type"},
    {"scroll over 1",
     "{\"new_stage\":\"decision\",\"trigger_event\":\"x\",\"engagement_metrics\":{\"scroll_depth\":"
     "80}}",
     "engagement_metrics.scroll_depth=out_of_range"},
    {"time below 0",
     "{\"new_stage\":\"decision\",\"trigger_event\":\"x\",\"engagement_metrics\":{\"time_on_page\":"
     "-1}}",
     "engagement_metrics.time_on_page=out_of_range"},
    {"half an interaction",
     "{\"new_stage\":\"decision\",\"trigger_event\":\"x\",\"engagement_metrics\":{\"interaction_"
     "count\":0.5}}",
     "engagement_metrics.interaction_count=wrong_type"},
    {"metrics list",
     "{\"new_stage\":\"decision\",\"trigger_event\":\"x\",\"engagement_metrics\":[1]}",
     "engagement_metrics=wrong_type"},
};

static const struct body_case touchpoints[] = {
    {"minimal", "{\"touchpoint_type\":\"page_view\"}", ""},
    {"every column",
     "{\"touchpoint_type\":\"interaction\",\"event_name\":\"x\",\"page_url\":\"https://a.b/"
     "c\",\"page_title\":\"t\","
     "\"interaction_type\":\"swipe\",\"interaction_data\":{},\"engagement_score\":1,\"duration_"
     "seconds\":0,"
     "\"scroll_depth\":0,\"click_count\":2,\"conversion_value\":\"19.99\",\"performance_metrics\":{"
     "\"lcp\":1},"
     "\"personalization_applied\":{\"application_id\":\"a\"},\"ab_test_variant\":\"b\","
     "\"metadata\":{}}",
     ""},
    {"empty", "{}", "touchpoint_type=required"},
    {"interaction unknown", "{\"touchpoint_type\":\"a\",\"interaction_type\":\"poke\"}",
     "interaction_type=not_allowed"},
    {"clicks below 0", "{\"touchpoint_type\":\"a\",\"click_count\":-1}",
     "click_count=out_of_range"},
    {"clicks over an int", "{\"touchpoint_type\":\"a\",\"click_count\":2147483648}",
     "click_count=out_of_range"},
    {"value below 0", "{\"touchpoint_type\":\"a\",\"conversion_value\":-1}",
     "conversion_value=out_of_range"},
    {"value too large", "{\"touchpoint_type\":\"a\",\"conversion_value\":100000000}",
     "conversion_value=out_of_range"},
    {"value no number", "{\"touchpoint_type\":\"a\",\"conversion_value\":\"12,50\"}",
     "conversion_value=out_of_range"},
    {"value boolean", "{\"touchpoint_type\":\"a\",\"conversion_value\":true}",
     "conversion_value=wrong_type"},
    {"score over 1", "{\"touchpoint_type\":\"a\",\"engagement_score\":1.5}",
     "engagement_score=out_of_range"},
    {"url number", "{\"touchpoint_type\":\"a\",\"page_url\":1}", "page_url=wrong_type"},
};

static const struct body_case conversions[] = {
    {"minimal", "{\"event_type\":\"purchase\"}", ""},
    {"full",
     "{\"event_type\":\"purchase\",\"event_value\":49.9,\"event_currency\":\"EUR\",\"funnel_step\":"
     "\"f\",\"order_id\":"
     "\"o-1\",\"product_data\":{},\"timestamp\":\"2026-01-01\"}",
     ""},
    {"empty", "{}", "event_type=required"},
    {"currency of two", "{\"event_type\":\"a\",\"event_currency\":\"EU\"}",
     "event_currency=invalid_format"},
    {"currency of digits", "{\"event_type\":\"a\",\"event_currency\":\"E1R\"}",
     "event_currency=invalid_format"},
    {"currency number", "{\"event_type\":\"a\",\"event_currency\":978}",
     "event_currency=wrong_type"},
    {"order number", "{\"event_type\":\"a\",\"order_id\":5}", "order_id=wrong_type"},
    {"data text", "{\"event_type\":\"a\",\"product_data\":\"x\"}", "product_data=wrong_type"},
};

static const struct body_case ends[] = {
    {"empty", "{}", ""},
    {"exit as text", "{\"exit_point\":\"/cart\",\"timestamp\":\"2026-01-01T00:00:00Z\"}", ""},
    {"exit as object", "{\"exit_point\":{\"page\":\"/cart\"}}", ""},
    {"time bad", "{\"timestamp\":\"2026-13-01\"}", "timestamp=invalid_time"},
};

static void check(const struct gw_schema *schema, const struct body_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena *arena = arena_create(1 << 20);
        const struct json_node *body = NULL;
        struct gw_faults faults = {.n = 0};
        struct buf got = {0};
        struct err err = {0};
        assert_case(cases[i].name, json_parse(&body, slice_str(cases[i].body), arena, &err) >= 0);
        gw_schema_check(schema, body, &faults, arena);
        buf_append_str(&got, "");
        for (unsigned f = 0; f < faults.n; f++)
            buf_printf(&got, "%s%s=%s", f ? " " : "", faults.list[f].field, faults.list[f].code);
        if (strcmp(got.data ? (const char *)got.data : "", cases[i].faults) != 0)
            fail_msg("case \"%s\": %s instead of %s", cases[i].name, got.data, cases[i].faults);
        buf_deinit(&got);
        arena_destroy(&arena);
    }
}

static void test_start(void **state)
{
    check(&gw_start_body, starts, ARRAY_SIZE(starts));
}

static void test_stage(void **state)
{
    check(&gw_stage_body, stages, ARRAY_SIZE(stages));
}

static void test_touchpoint(void **state)
{
    check(&gw_touchpoint_body, touchpoints, ARRAY_SIZE(touchpoints));
}

static void test_conversion(void **state)
{
    check(&gw_conversion_body, conversions, ARRAY_SIZE(conversions));
}

static void test_end(void **state)
{
    check(&gw_end_body, ends, ARRAY_SIZE(ends));
}

static void test_session_id(void **state)
{
    assert_true(gw_session_id_valid(slice_str("s 1/ä")));
    assert_true(gw_session_id_valid(slice_str(HUNDRED)));
    assert_false(gw_session_id_valid(slice_str(HUNDRED "a")));
    assert_false(gw_session_id_valid(slice_str("")));
    assert_false(gw_session_id_valid(SLICE_LITERAL("a\0b")));
    assert_false(gw_session_id_valid(slice_str("a\xff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),      cmocka_unit_test(test_stage),
        cmocka_unit_test(test_touchpoint), cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_end),        cmocka_unit_test(test_session_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
