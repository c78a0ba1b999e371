/* Slips in what a service declares are told in words, before it starts or when they matter. */
#include "rig/rig.h"

static const struct store_column columns[] = {{"tenant_id", STORE_UUID, 0},
                                              {"id", STORE_TEXT, 0},
                                              {"value", STORE_BIGINT, 0},
                                              {"state", STORE_BYTES, 0}};

/* A service that only sets a timer; each test spoils its copy. */
struct sketch {
    struct store_table table;
    struct stream_state state;
    const struct stream_state *states[1];
    struct stream_input input;
    struct stream_service service;
};

static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    values[2].i = ((const Journey__V1__TemplateRecord *)state)->value;
}

static int key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
               struct err *err)
{
    memcpy(key->tenant, rig_tenant, 16);
    key->id = SLICE_LITERAL("a");
    return STATUS_OK;
}

static void decide(struct stream_decision *d, const struct stream_message *m)
{
    stream_set_timer(d, "soon", d->now_us + SECOND_US);
}

static void due(struct stream_decision *d, const struct stream_message *m) {}

static void make(struct sketch *s)
{
    *s = (struct sketch){
        .table = {.name = "things", .columns = columns, .n_columns = 4, .n_key = 2},
        .state = {.name = "thing",
                  .table = &s->table,
                  .type = &journey__v1__template_record__descriptor,
                  .project = project,
                  .due = due},
        .states = {&s->state},
        .input = {.topic = TOPIC_TEMPLATE_COMMANDS,
                  .lane = BUS_LANE_COMMANDS,
                  .type = &journey__v1__command__descriptor,
                  .state = &s->state,
                  .key = key,
                  .decide = decide},
        .service = {.name = "sketch",
                    .schema = "sketch",
                    .inputs = &s->input,
                    .n_inputs = 1,
                    .states = s->states,
                    .n_states = 1},
    };
}

static void no_type(struct sketch *s)
{
    s->state.type = NULL;
}
static void state_not_last(struct sketch *s)
{
    s->table.n_columns = 3;
}
static void no_projection(struct sketch *s)
{
    s->state.project = NULL;
}
static void no_key(struct sketch *s)
{
    s->input.key = NULL;
}
static void undeclared_state(struct sketch *s)
{
    s->input.state = NULL;
}
static void other_type(struct sketch *s)
{
    s->input.type = &journey__v1__count__descriptor;
}
static void other_lane(struct sketch *s)
{
    s->input.lane = BUS_LANE_EVENTS;
}
static void imported(struct sketch *s)
{
    s->input.lane = BUS_LANE_IMPORTS;
}
static void command_of_events(struct sketch *s)
{
    s->input.topic = TOPIC_TEMPLATE_COUNTS;
    s->input.type = &journey__v1__count__descriptor;
}
static void no_inputs(struct sketch *s)
{
    s->service.n_inputs = 0;
}

static void a_slip_is_told_at_the_start(void **state)
{
    static const struct {
        const char *name, *told;
        void (*spoil)(struct sketch *sketch);
    } cases[] = {
        {"no type", "sketch: state thing: name or type is missing", no_type},
        {"state not last", "sketch: state thing: the columns of its table are to be ",
         state_not_last},
        {"no projection", "sketch: state thing: its table has columns between ", no_projection},
        {"no key", "sketch: input journey.commands.template.v1: type, key or decide is missing",
         no_key},
        {"undeclared state", "sketch: input journey.commands.template.v1: its state is not among ",
         undeclared_state},
        {"other type", "sketch: input journey.commands.template.v1: its type is not ", other_type},
        {"other lane", "sketch: input journey.commands.template.v1: its lane is not ", other_lane},
        {"imported", "sketch: input journey.commands.template.v1: its lane is not ", imported},
        {"command of events", "sketch: input journey.counts.v1: its lane is not ",
         command_of_events},
        {"no inputs", "sketch: it needs 1 to ", no_inputs},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sketch sketch;
        struct stream *stream = NULL;
        struct stream_options options = {0}; /* it does not come to need them */
        struct err err = {0};
        make(&sketch);
        cases[i].spoil(&sketch);
        assert_case(cases[i].name,
                    stream_create(&stream, &sketch.service, &options, &err) == ERR_INVALID);
        assert_case(cases[i].name, !stream && err.class == ERR_CLASS_FATAL);
        assert_case(cases[i].name, strncmp(err.message, cases[i].told, strlen(cases[i].told)) == 0);
    }
}

static void a_timer_that_nobody_would_look_at_is_refused(void **state)
{
    struct sketch sketch;
    make(&sketch);
    sketch.state.due = NULL;
    struct rig *rig = rig_create(&sketch.service);
    const Journey__V1__Reply *reply = rig_ask(rig, rig_command(rig, "a"));
    assert_int_equal(rig_status(reply), 400);
    assert_string_equal(reply->problem->detail,
                        "a timer or call of the state thing, which has no due()");
    assert_int_equal(rig_said(rig, topic_dlq(TOPIC_TEMPLATE_COMMANDS)), 1);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_is_told_at_the_start),
        cmocka_unit_test(a_timer_that_nobody_would_look_at_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
