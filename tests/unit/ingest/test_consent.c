/* Consent through the real runtime: stated, gathered, looked up, stamped, enforced, published. */
#include "json.h"
#include "say.h"

#include <stdio.h>

static ProtobufCBinaryData hash_of(struct rig *rig, uint8_t number, uint8_t kind)
{
    const uint8_t hash[16] = {number, kind};
    return (ProtobufCBinaryData){16, arena_copy(rig->arena, hash, sizeof(hash))};
}

static ProtobufCBinaryData device(struct rig *rig, uint8_t number)
{
    return hash_of(rig, number, 0xd);
}

static ProtobufCBinaryData user(struct rig *rig, uint8_t number)
{
    return hash_of(rig, number, 0xe);
}

static char *hex_of(struct rig *rig, ProtobufCBinaryData hash)
{
    char *hex = arena_alloc(rig->arena, 33);
    hex_format(hex, hash.data, hash.len);
    return hex;
}

/* "analytics" is granted, "-analytics" denied. */
static Journey__V1__Command *set_consent(struct rig *rig, ProtobufCBinaryData about,
                                         const char *choice)
{
    Journey__V1__Command *command = rig_command(rig, hex_of(rig, about));
    Journey__V1__SetConsent *set = arena_alloc(rig->arena, sizeof(*set));
    Journey__V1__ConsentChoice *one = arena_alloc(rig->arena, sizeof(*one));
    journey__v1__set_consent__init(set);
    journey__v1__consent_choice__init(one);
    one->granted = choice[0] != '-';
    one->purpose = arena_str(rig->arena, slice_str(choice + !one->granted));
    set->about = about;
    set->choices = arena_copy(rig->arena, &one, sizeof(one));
    set->n_choices = 1;
    set->source = arena_str(rig->arena, SLICE_LITERAL("banner"));
    set->region = arena_str(rig->arena, SLICE_LITERAL("EU"));
    command->body_case = JOURNEY__V1__COMMAND__BODY_SET_CONSENT;
    command->set_consent = set;
    return command;
}

static const struct json_node *ask(struct rig *rig, const Journey__V1__Command *command)
{
    const struct json_node *root = NULL;
    const Journey__V1__Reply *reply = rig_ask(rig, command);
    assert_int_equal(rig_status(reply), 200);
    const char *json = rig_part(reply, "consents");
    if (json_parse(&root, slice_str(json), rig->arena, NULL) < 0)
        fail_msg("no JSON: %s", json);
    return root;
}

static const struct json_node *get_consents(struct rig *rig, ProtobufCBinaryData about,
                                            int64_t before, int32_t limit)
{
    Journey__V1__Command *command = rig_command(rig, hex_of(rig, about));
    Journey__V1__GetConsents *get = arena_alloc(rig->arena, sizeof(*get));
    journey__v1__get_consents__init(get);
    get->about = about;
    get->before = before;
    get->limit = limit;
    command->read_only = true;
    command->body_case = JOURNEY__V1__COMMAND__BODY_GET_CONSENTS;
    command->get_consents = get;
    return ask(rig, command);
}

static bool is_text(struct rig *rig, const struct json_node *root, const char *path,
                    const char *text)
{
    return slice_equal_str(json_string(json_path(root, path), rig->arena), text);
}

/* The event of device 1; user: 0 none. */
static const Journey__V1__Accepted *send(struct rig *rig, const char *id, uint8_t user_number,
                                         const char *context)
{
    Journey__V1__Event *event = rig_event(rig, 1, id, 0);
    if (user_number)
        event->user = user(rig, user_number);
    event->context = arena_str(rig->arena, slice_str(context));
    rig_send_event(rig, event);
    rig_settle(rig);
    return rig_accepted(rig, id);
}

static bool grants(const Journey__V1__Accepted *accepted, const char *purpose)
{
    for (size_t i = 0; i < accepted->consent->n_granted; i++)
        if (strcmp(accepted->consent->granted[i], purpose) == 0)
            return true;
    return false;
}

static const Journey__V1__Consent *published(struct rig *rig, unsigned n)
{
    return rig_message(rig, TOPIC_CONSENTS, n, &journey__v1__consent__descriptor);
}

#define PREFERENCES(list) "{\"consent\":{\"categoryPreferences\":{" list "}}}"

static void a_statement_is_kept_published_and_answered(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    Journey__V1__Command *command = set_consent(rig, device(rig, 1), "analytics");
    const struct json_node *answer = ask(rig, command);
    assert_true(is_text(rig, answer, "subject", hex_of(rig, device(rig, 1))));
    assert_true(is_text(rig, answer, "purposes.analytics.state", "granted"));
    assert_true(is_text(rig, answer, "purposes.analytics.basis", "consent"));
    assert_true(json_is(json_path(answer, "purposes.analytics.in_force"), JSON_TRUE));
    assert_true(is_text(rig, answer, "purposes.marketing.state", "unknown"));
    assert_true(json_is(json_path(answer, "purposes.marketing.in_force"), JSON_FALSE));
    assert_true(is_text(rig, answer, "purposes.necessary.basis", "necessary"));
    const Journey__V1__Consent *consent = published(rig, 0);
    assert_memory_equal(consent->subject.data, device(rig, 1).data, 16);
    assert_int_equal(consent->n_purposes, 1);
    assert_string_equal(consent->purposes[0]->purpose, "analytics");
    assert_string_equal(consent->purposes[0]->state, "granted");
    struct slice key = rig_record(rig, TOPIC_CONSENTS, 0)->key;
    assert_true(slice_equal(
        key, topic_key(rig_tenant, slice_str(hex_of(rig, device(rig, 1))), rig->arena)));
    const struct store_value *rows[RIG_MAX];
    assert_int_equal(rig_rows(rig, &ingest_consents_table, rows), 1);
    assert_true(slice_equal_str(rows[0][INGEST_CONSENTS_SOURCE].s, "banner"));
    assert_true(slice_equal_str(rows[0][INGEST_CONSENTS_REGION].s, "EU"));
    assert_true(rows[0][INGEST_CONSENTS_POLICY_VERSION].null);
    /* the same command again: the same answer, and nothing else */
    assert_true(is_text(rig, ask(rig, command), "purposes.analytics.state", "granted"));
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 1);
    rig_destroy(&rig);
}

static void history_comes_in_pages(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    const struct json_node *page = get_consents(rig, device(rig, 1), 0, 0);
    assert_int_equal(json_get(page, "data")->count, 0);
    assert_true(is_text(rig, page, "purposes.analytics.state", "unknown"));
    for (unsigned i = 0; i < 5; i++)
        (void)ask(rig, set_consent(rig, device(rig, 1), i % 2 ? "-marketing" : "marketing"));
    (void)ask(rig, set_consent(rig, device(rig, 2), "analytics"));
    int64_t cursor = 0;
    unsigned n = 0;
    for (unsigned pages = 1;; pages++) {
        page = get_consents(rig, device(rig, 1), cursor, 2);
        for (const struct json_node *row = json_get(page, "data")->child; row; row = row->next, n++)
            assert_true(is_text(rig, row, "state", n % 2 ? "denied" : "granted"));
        const struct json_node *next = json_get(page, "next_cursor");
        assert_true(json_is(next, pages < 3 ? JSON_STRING : JSON_NULL));
        if (pages == 3)
            break;
        cursor = strtoll(arena_str(rig->arena, json_string(next, rig->arena)), NULL, 10);
    }
    assert_int_equal(n, 5);
    rig_destroy(&rig);
}

static void an_event_says_it_too_once(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    const char *preferences =
        PREFERENCES("\"Analytics\":true,\"Advertising\":false,\"Fun\":true,\"C0003\":\"yes\"");
    const Journey__V1__Accepted *first = send(rig, "m1", 1, preferences);
    assert_false(first->pseudonymous);
    assert_true(grants(first, "analytics") && !grants(first, "marketing"));
    assert_false(first->consent->legitimate_interest);
    assert_int_equal(first->event->user.len, 16);
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 1);
    assert_int_equal(rig_count(rig, &ingest_consents_table), 2);
    assert_true(rig_counter(rig, "journey_ingest_consent_categories_unknown_total") == 2);
    (void)send(rig, "m2", 1, preferences);
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 1);
    /* withdrawn by the person; what the page repeats does not give it back */
    (void)ask(rig, set_consent(rig, device(rig, 1), "-analytics"));
    assert_true(send(rig, "m3", 1, preferences)->pseudonymous);
    /* two categories of one purpose: the denial counts */
    assert_true(
        send(rig, "m4", 1, PREFERENCES("\"Performance\":true,\"Statistics\":false"))->pseudonymous);
    assert_false(send(rig, "m5", 1, PREFERENCES("\"Performance\":true"))->pseudonymous);
    rig_destroy(&rig);
}

static void a_user_s_statement_counts_on_every_device(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    assert_true(send(rig, "before", 1, "")->pseudonymous);
    (void)ask(rig, set_consent(rig, user(rig, 1), "analytics"));
    assert_false(send(rig, "the user's", 1, "")->pseudonymous);
    assert_true(send(rig, "another user's", 2, "")->pseudonymous);
    assert_true(send(rig, "nobody's", 0, "")->pseudonymous);
    /* the later of the two */
    (void)ask(rig, set_consent(rig, device(rig, 1), "-analytics"));
    assert_true(send(rig, "denied here", 1, "")->pseudonymous);
    (void)ask(rig, set_consent(rig, user(rig, 1), "analytics"));
    assert_false(send(rig, "granted anew", 1, "")->pseudonymous);
    /* whoever has no other id than his own is asked once */
    Journey__V1__Event *server = rig_event(rig, 9, "server", 0);
    server->device = server->user = user(rig, 1);
    server->device_is_user = true;
    rig_send_event(rig, server);
    rig_settle(rig);
    assert_false(rig_accepted(rig, "server")->pseudonymous);
    rig_destroy(&rig);
}

static void the_browser_opts_out(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "legitimate_interest", "legitimate_interests",
                 "{\"marketing\":\"we tell of offers\",\"sale_or_sharing\":\"partners\","
                 "\"cross_device\":\"\",\"fun\":\"x\"}");
    const Journey__V1__Accepted *before = send(rig, "m1", 0, "");
    assert_true(grants(before, "analytics") && grants(before, "marketing"));
    assert_true(grants(before, "sale_or_sharing") && !grants(before, "cross_device"));
    assert_true(before->consent->legitimate_interest);
    assert_int_equal(before->consent->n_interests, 2);
    Journey__V1__Event *event = rig_event(rig, 1, "m2", 0);
    event->opt_out = true;
    rig_send_event(rig, event);
    rig_settle(rig);
    const Journey__V1__Accepted *out = rig_accepted(rig, "m2");
    assert_true(grants(out, "analytics") && !out->pseudonymous);
    assert_false(grants(out, "marketing") || grants(out, "sale_or_sharing"));
    assert_false(grants(send(rig, "m3", 0, ""), "marketing")); /* and it stays so */
    (void)ask(rig, set_consent(rig, device(rig, 1), "marketing"));
    assert_true(grants(send(rig, "m4", 0, ""), "marketing"));
    assert_false(grants(send(rig, "m5", 0, ""), "sale_or_sharing"));
    rig_destroy(&rig);
}

/* ---- what is kept without consent ---- */

#define CONTEXT                                                                                    \
    "{\"page\":{\"url\":\"https://a.example/p?email=x%40y.example#top\",\"path\":\"/"              \
    "p\",\"title\":\"T\","                                                                         \
    "\"referrer\":\"https://b.example/"                                                            \
    "?q=me\",\"id\":7},\"campaign\":{\"source\":\"news\",\"gclid\":\"abc\"},"                      \
    "\"ip\":\"192.0.2.0\",\"userAgent\":\"Mozilla/5.0 "                                            \
    "(iPhone)\",\"locale\":\"de\",\"timezone\":\"x\","                                             \
    "\"screen\":{\"width\":375,\"height\":812},\"device\":{\"type\":\"mobile\",\"id\":\"d\"},"     \
    "\"os\":{\"name\":\"iOS\",\"version\":\"17.1\"},\"library\":{\"name\":\"l\",\"version\":"      \
    "\"1\"}}"

static Journey__V1__Event *personal_event(struct rig *rig, const char *id)
{
    Journey__V1__Event *event = rig_event(rig, 1, id, 0);
    event->user = user(rig, 1);
    event->group = hash_of(rig, 3, 3);
    event->previous = hash_of(rig, 4, 4);
    event->sealed = hash_of(rig, 5, 5);
    event->context = arena_str(rig->arena, SLICE_LITERAL(CONTEXT));
    event->properties = arena_str(
        rig->arena,
        SLICE_LITERAL("{\"a\":1e400,\"url\":\"https://a.example/p?x=1\",\"search\":\"?x=1\","
                      "\"k\\u0022\":[{\"url\":\"?\"}]}"));
    return event;
}

static void without_consent_only_the_session_s_pseudonym_is_kept(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    rig_send_event(rig, personal_event(rig, "m1"));
    rig_settle(rig);
    const Journey__V1__Accepted *a = rig_accepted(rig, "m1");
    const Journey__V1__Event *e = a->event;
    assert_true(a->pseudonymous);
    assert_int_equal(a->consent->n_granted, 0);
    assert_int_equal(e->user.len + e->group.len + e->previous.len + e->sealed.len, 0);
    assert_int_equal(e->device.len, 16);
    assert_memory_not_equal(e->device.data, device(rig, 1).data, 16);
    assert_string_equal(e->name, "Product Viewed");
    assert_string_equal(e->properties,
                        "{\"a\":1e400,\"url\":\"https://a.example/p\",\"search\":\"\","
                        "\"k\\u0022\":[{\"url\":\"?\"}]}");
    assert_string_equal(
        e->context, "{\"page\":{\"url\":\"https://a.example/p\",\"path\":\"/p\",\"title\":\"T\","
                    "\"referrer\":\"https://b.example/\"},\"campaign\":{\"source\":\"news\"},"
                    "\"device\":{\"type\":\"mobile\"},\"os\":{\"name\":\"iOS\"},"
                    "\"library\":{\"name\":\"l\"}}");
    assert_string_equal(a->opens->device_type, "mobile");
    assert_string_equal(a->opens->device_context, "{\"type\":\"mobile\"}");
    assert_string_equal(a->opens->utm_data, "{\"source\":\"news\"}");
    assert_string_equal(a->opens->os_version, "");
    assert_true(rig_counter(rig, "journey_ingest_pseudonymous_total") == 1);
    const struct store_value *row =
        rig_row(rig, &ingest_devices_table, hex_of(rig, device(rig, 1)));
    assert_true(row[2].null); /* whose device it is */
    rig_destroy(&rig);
}

static void sessions_without_consent_have_nothing_in_common(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    const Journey__V1__Accepted *first = send(rig, "m1", 1, ""), *second = send(rig, "m2", 1, "");
    assert_memory_equal(first->event->device.data, second->event->device.data, 16);
    rig->now_us += 5 * HOUR_US;
    const Journey__V1__Accepted *later = send(rig, "m3", 1, "");
    assert_memory_not_equal(first->event->device.data, later->event->device.data, 16);
    assert_false(later->opens->returning);
    /* the ids of the same device are still known again */
    rig_send_event(rig, rig_event(rig, 1, "m1", 0));
    rig_settle(rig);
    assert_true(rig_counter(rig, "journey_ingest_duplicates_total") == 1);
    rig_destroy(&rig);
}

static void withdrawal_forgets_whose_device_it_is(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    (void)ask(rig, set_consent(rig, device(rig, 1), "analytics"));
    const Journey__V1__Accepted *known = send(rig, "m1", 1, "");
    const char *id = hex_of(rig, device(rig, 1));
    assert_false(rig_row(rig, &ingest_devices_table, id)[2].null);
    (void)ask(rig, set_consent(rig, device(rig, 1), "-analytics"));
    assert_string_equal(send(rig, "m2", 1, "")->session_id, known->session_id);
    assert_true(rig_row(rig, &ingest_devices_table, id)[2].null);
    rig_destroy(&rig);
}

static void a_start_without_consent_tells_of_nobody(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", NULL, NULL);
    Journey__V1__Command *command = rig_start(rig, 1, "s1");
    Journey__V1__SessionStart *start = command->start->start;
    command->start->user = user(rig, 1);
    start->anonymous_device = device(rig, 1);
    start->device_fingerprint = arena_str(rig->arena, SLICE_LITERAL("abcd"));
    start->device_context =
        arena_str(rig->arena, SLICE_LITERAL("{\"type\":\"mobile\",\"screen_size\":\"1x1\"}"));
    start->returning_visitor = arena_str(rig->arena, SLICE_LITERAL("{\"visit_count\":3}"));
    start->returning = true;
    start->referrer_data = arena_str(
        rig->arena, SLICE_LITERAL("{\"referrer_video\":{\"id\":\"v1\"},\"click\":\"x\"}"));
    rig_send_command(rig, command);
    rig_settle(rig);
    const Journey__V1__Command *copy =
        rig_message(rig, TOPIC_COMMANDS_JOURNEY_STATE, 0, &journey__v1__command__descriptor);
    const Journey__V1__SessionStart *passed = copy->start->start;
    assert_int_equal(copy->start->user.len + passed->anonymous_device.len, 0);
    assert_memory_equal(copy->start->device.data,
                        ingest_pseudonym(rig_tenant, SLICE_LITERAL("s1"), rig->arena).data, 16);
    assert_string_equal(passed->device_fingerprint, "");
    assert_string_equal(passed->device_context, "{\"type\":\"mobile\"}");
    assert_string_equal(passed->referrer_data, "{\"referrer_video\":{\"id\":\"v1\"}}");
    assert_string_equal(passed->returning_visitor, "");
    assert_false(passed->returning);
    assert_int_equal(copy->consent->n_granted, 0);
    rig_destroy(&rig);
}

/* ---- the topic ---- */

static void say_again(struct rig *rig, unsigned n)
{
    const struct bus_record *record = rig_record(rig, TOPIC_CONSENTS, n);
    const struct bus_message message = {.topic = TOPIC_CONSENTS,
                                        .partition = record->partition,
                                        .key = record->key,
                                        .value = record->value,
                                        .headers = record->headers,
                                        .n_headers = record->n_headers};
    struct err err = {0};
    assert_int_equal(bus_send(rig->client, &message, &err), 0);
    rig_settle(rig);
}

static void an_old_value_behind_a_newer_one_is_put_right(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    (void)ask(rig, set_consent(rig, device(rig, 1), "marketing"));
    (void)ask(rig, set_consent(rig, device(rig, 1), "-marketing"));
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 2);
    say_again(rig, 1); /* the newest, once more: nothing is wrong */
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 2);
    rig_restart(rig);
    say_again(rig, 0);
    assert_int_equal(rig_said(rig, TOPIC_CONSENTS), 3);
    assert_string_equal(published(rig, 2)->purposes[0]->state, "denied");
    assert_true(published(rig, 2)->version == published(rig, 1)->version);
    assert_true(rig_counter(rig, "journey_ingest_consents_healed_total") == 1);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_is_kept_published_and_answered),
        cmocka_unit_test(history_comes_in_pages),
        cmocka_unit_test(an_event_says_it_too_once),
        cmocka_unit_test(a_user_s_statement_counts_on_every_device),
        cmocka_unit_test(the_browser_opts_out),
        cmocka_unit_test(without_consent_only_the_session_s_pseudonym_is_kept),
        cmocka_unit_test(sessions_without_consent_have_nothing_in_common),
        cmocka_unit_test(withdrawal_forgets_whose_device_it_is),
        cmocka_unit_test(a_start_without_consent_tells_of_nobody),
        cmocka_unit_test(an_old_value_behind_a_newer_one_is_put_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
