/*
 * Prints a COPY statement with the old population's rows in one table, for psql: session k of [from, to) has the device
 * `d-00000000-<k>`, every second one a touchpoint (for the disk's sake), and open ones a timer. Times go from `since` to `until`, ascending with k.
 *
 *   population TABLE TENANT HASH-KEY PARTITIONS FROM TO SINCE UNTIL      (uuid, hex, numbers, times in microseconds)
 */
#include "population.h"
#include "topics.h"

#include "journey/v1/journey.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STAGES      4
#define ENTRY_POINT "{\"source\":\"direct\"}"
#define VISIT_US    (5 * MINUTE_US)
#define IDLE_US     (30 * MINUTE_US)
#define LONG_US     (60 * DAY_US) /* idle limit of open ones: none ends while something is measured */
#define LINE_BYTES  4096

struct population {
    struct uuid tenant;
    char tenant_text[UUID_TEXT_SIZE];
    uint8_t hash_key[32];
    int32_t partitions;
    uint64_t from, to;
    int64_t since_us, until_us;
};

struct person {
    uint64_t number;
    bool open;
    uint8_t device[16];
    char device_text[33], session[POPULATION_ID_SIZE], id_text[UUID_TEXT_SIZE];
    struct uuid id;
    const char *stage, *device_type;
    int64_t start_us, last_us, end_us, idle_us;
};

static void make_id(struct uuid *id, char text[UUID_TEXT_SIZE], const char *of, uint64_t number)
{
    population_id(id, of, number);
    uuid_format(text, id->bytes);
}

/* The hash that the gateway makes of an anonymousId. */
static void hash_device(struct person *person, const struct population *p)
{
    char name[32];
    int size = snprintf(name, sizeof(name), "d-%08x-%010" PRIu64, POPULATION_RUN, person->number);
    const struct slice parts[] = {SLICE_LITERAL("device"), slice_make(name, (size_t)size)};
    hash_keyed(person->device, p->hash_key, parts, ARRAY_SIZE(parts));
    hex_format(person->device_text, person->device, sizeof(person->device));
}

static void person_make(struct person *person, const struct population *p, uint64_t number)
{
    static const char *const stages[STAGES] = {"awareness", "awareness", "consideration",
                                               "decision"},
                             *const devices[] = {"mobile", "mobile", "mobile", "desktop", "tablet"};
    int64_t step = (p->until_us - p->since_us - VISIT_US) / (int64_t)(p->to - p->from);
    *person = (struct person){.number = number, .open = number % POPULATION_OPEN == 0};
    person->stage = person->open ? stages[0] : stages[number % STAGES];
    person->device_type = devices[number % ARRAY_SIZE(devices)];
    person->start_us = p->since_us + (int64_t)(number - p->from) * step;
    person->last_us = person->start_us + VISIT_US;
    person->idle_us = person->open ? LONG_US : IDLE_US;
    person->end_us = person->open ? 0 : person->last_us + IDLE_US;
    population_session(person->session, number);
    make_id(&person->id, person->id_text, "population session", number);
    hash_device(person, p);
}

static void print_bytes(const uint8_t *data, size_t size)
{
    char text[2 * LINE_BYTES + 1];
    hex_format(text, data, size);
    printf("\\\\x%s", text);
}

static void print_time(int64_t time_us)
{
    char text[TIME_TEXT_SIZE];
    time_format(text, time_us);
    (void)fputs(text, stdout);
}

/* A time and what follows it; \N when there is none. */
static void print_time_then(int64_t time_us, const char *after)
{
    if (time_us)
        print_time(time_us);
    else
        (void)fputs("\\N", stdout);
    (void)fputs(after, stdout);
}

/* ---- rows ---- */

static char *writable(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c's texts are not const */
}

static void print_session_state(struct person *person, struct population *p)
{
    uint8_t bytes[LINE_BYTES];
    Journey__V1__SessionRecord r;
    Journey__V1__ConsentStamp consent;
    char *granted[] = {writable("analytics")};
    journey__v1__consent_stamp__init(&consent);
    consent.granted = granted;
    consent.n_granted = 1;
    consent.legitimate_interest = true;
    journey__v1__session_record__init(&r);
    r.tenant_id = (ProtobufCBinaryData){16, p->tenant.bytes};
    r.session_id = person->session;
    r.id = (ProtobufCBinaryData){16, person->id.bytes};
    r.device = (ProtobufCBinaryData){16, person->device};
    r.persona_type = writable("GeneralVisitor");
    r.persona_confidence = 0.5;
    r.device_type = writable(person->device_type);
    r.entry_point = writable(ENTRY_POINT);
    r.entry_source = writable("direct");
    r.current_stage = writable(person->stage);
    r.journey_path = writable("standard_conversion_funnel");
    r.total_touchpoints = 1;
    r.start_us = r.created_us = person->start_us;
    r.last_us = r.last_received_us = r.updated_us = person->last_us;
    r.end_us = person->end_us;
    r.idle_us = person->idle_us;
    r.last_item = writable("p-00001");
    r.consent = &consent;
    print_bytes(bytes, journey__v1__session_record__pack(&r, bytes));
}

static void print_session(struct person *person, struct population *p)
{
    printf("%s\t%s\t%s\tGeneralVisitor\t0.5\t%s\t", p->tenant_text, person->id_text,
           person->session, person->device_type);
    print_time_then(person->start_us, "\t");
    print_time_then(person->end_us, "\t");
    printf("%s\tstandard_conversion_funnel\t1\t%d\t" ENTRY_POINT "\t", person->stage,
           (int)(VISIT_US / SECOND_US));
    print_time_then(person->start_us, "\t");
    print_time_then(person->last_us, "\t");
    print_session_state(person, p);
    printf("\n");
}

static void print_device(struct person *person, struct population *p)
{
    uint8_t bytes[LINE_BYTES];
    Journey__V1__DeviceSession session, *sessions[] = {&session};
    Journey__V1__DeviceRecord r;
    journey__v1__device_session__init(&session);
    session.session_id = person->session;
    session.start_us = person->start_us;
    session.last_us = person->last_us;
    journey__v1__device_record__init(&r);
    r.tenant_id = (ProtobufCBinaryData){16, p->tenant.bytes};
    r.device = (ProtobufCBinaryData){16, person->device};
    r.sessions = sessions;
    r.n_sessions = 1;
    printf("%s\t%s\t%s\t", p->tenant_text, person->device_text, person->session);
    print_time_then(person->start_us, "\t");
    print_time_then(person->last_us, "\t1\t");
    print_bytes(bytes, journey__v1__device_record__pack(&r, bytes));
    printf("\n");
}

static void print_touchpoint(struct person *person, struct population *p)
{
    struct uuid id;
    char id_text[UUID_TEXT_SIZE];
    unsigned product = (unsigned)(person->number % 100000);
    if (person->number % 2)
        return;
    make_id(&id, id_text, "population touchpoint", person->number);
    printf("%s\t", p->tenant_text);
    print_time_then(person->start_us, "\t");
    printf("%s\t%s\t1\tproduct_viewed\tProduct Viewed\thttps://shop.example/products/%05u\tProduct "
           "number %05u\t{\"product_id\":\"p-%05u\",\"name\":\"Product number %05u\",\"brand\":"
           "\"Brand %u\",\"category\":\"category-%u\",\"price\":%u.50,\"currency\":\"EUR\","
           "\"quantity\":1}\t",
           id_text, person->session, product, product, product, product, product % 90, product % 40,
           product % 300);
    print_time_then(person->start_us, "\n");
}

static void print_timer(struct person *person, struct population *p)
{
    char key[128];
    int size = snprintf(key, sizeof(key), "%s/%s", p->tenant_text, person->session);
    if (!person->open)
        return;
    printf("%d\t%s\t", (int)topic_partition(slice_make(key, (size_t)size), p->partitions),
           p->tenant_text);
    print_bytes((const uint8_t *)person->session, strlen(person->session));
    printf("\t0\tidle\t");
    print_time_then(person->last_us + person->idle_us, "\t\\\\x\n");
}

static const struct table {
    const char *name, *columns;
    void (*print)(struct person *, struct population *);
} tables[] = {
    {"journey.journey_sessions",
     "tenant_id, id, session_id, persona_type, persona_confidence, device_type, start_timestamp, "
     "end_timestamp, current_stage, journey_path, total_touchpoints, total_session_time, "
     "entry_point, created_at, updated_at, state",
     print_session},
    {"ingest.device_sessions",
     "tenant_id, device, session_id, session_start, last_seen_at, sessions, state", print_device},
    {"journey.journey_touchpoints",
     "tenant_id, received_at, id, session_id, touchpoint_sequence, touchpoint_type, event_name, "
     "page_url, page_title, interaction_data, timestamp",
     print_touchpoint},
    {"journey.timers", "part, tenant_id, id, kind, name, due, data", print_timer},
};

static const struct table *find_table(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
        if (strcmp(tables[i].name, name) == 0)
            return &tables[i];
    return NULL;
}

int main(int argc, char **argv)
{
    struct population p = {0};
    const struct table *table = argc == 9 ? find_table(argv[1]) : NULL;
    if (!table || uuid_parse(&p.tenant, slice_str(argv[2])) < 0 ||
        hex_parse(p.hash_key, sizeof(p.hash_key), slice_str(argv[3])) < 0) {
        (void)fputs("population TABLE TENANT HASH-KEY PARTITIONS FROM TO SINCE UNTIL\n", stderr);
        return 2;
    }
    uuid_format(p.tenant_text, p.tenant.bytes);
    p.partitions = (int32_t)strtol(argv[4], NULL, 10);
    p.from = strtoull(argv[5], NULL, 10);
    p.to = strtoull(argv[6], NULL, 10);
    p.since_us = strtoll(argv[7], NULL, 10);
    p.until_us = strtoll(argv[8], NULL, 10);
    printf("copy %s (%s) from stdin;\n", table->name, table->columns);
    for (uint64_t number = p.from; number < p.to; number++) {
        struct person person;
        person_make(&person, &p, number);
        table->print(&person, &p);
    }
    printf("\\.\n");
    return ferror(stdout) || fflush(stdout) != 0;
}
