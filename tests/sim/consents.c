/* The newest value of each subject, as a compacted topic keeps it, is what the rows of its statements say. */
#include "sim.h"

#include "domain/consent.h"
#include "ingest.h"

#include "journey/v1/consent.pb-c.h"

#include <stdlib.h>

enum {
    MAX_SUBJECTS = 64,
};

struct subject {
    uint8_t tenant[16];
    char id[33];
    int64_t said, stated;                /* versions: in the topic, of the rows */
    const char *says[INGEST_PURPOSES];   /* in the topic; NULL: nothing */
    const char *states[INGEST_PURPOSES]; /* by the newest row */
    int64_t numbers[INGEST_PURPOSES];    /* of that row */
};

struct subjects {
    struct subject all[MAX_SUBJECTS];
    unsigned n;
};

static struct subject *find(struct subjects *subjects, const uint8_t *tenant, const char *id)
{
    unsigned i = 0;
    while (i < subjects->n && (memcmp(subjects->all[i].tenant, tenant, 16) != 0 ||
                               strcmp(subjects->all[i].id, id) != 0))
        i++;
    struct subject *subject = &subjects->all[i];
    assert(i < MAX_SUBJECTS);
    if (i == subjects->n) {
        subjects->n++;
        memcpy(subject->tenant, tenant, 16);
        memcpy(subject->id, id, strlen(id) + 1);
    }
    return subject;
}

/* Whatever stands last: compaction knows no versions. */
static void take_value(struct sim *sim, struct subjects *subjects, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    const Journey__V1__Consent *consent =
        journey__v1__consent__unpack(&allocator, record->value.size, record->value.data);
    char id[33];
    if (!consent || consent->tenant_id.len != 16 || consent->subject.len != 16) {
        violation(sim, "a consent cannot be decoded");
        return;
    }
    hex_format(id, consent->subject.data, 16);
    struct subject *subject = find(subjects, consent->tenant_id.data, id);
    subject->said = consent->version;
    memset(subject->says, 0, sizeof(subject->says));
    for (size_t i = 0; i < consent->n_purposes; i++)
        subject->says[ingest_purpose_find(slice_str(consent->purposes[i]->purpose))] =
            consent->purposes[i]->state;
}

static void take_row(struct sim *sim, struct subjects *subjects, const struct store_value *row)
{
    struct slice id = row[INGEST_CONSENTS_SUBJECT].s;
    struct subject *subject =
        find(subjects, row[INGEST_CONSENTS_TENANT_ID].s.data, arena_str(sim->arena, id));
    enum ingest_purpose purpose = ingest_purpose_find(row[INGEST_CONSENTS_PURPOSE].s);
    int64_t number = row[INGEST_CONSENTS_NUMBER].i;
    tally.steps[STEP_CONSENT]++;
    if (number <= subject->numbers[purpose])
        return;
    subject->numbers[purpose] = number;
    subject->states[purpose] = arena_str(sim->arena, row[INGEST_CONSENTS_STATE].s);
    subject->stated = max_i64(subject->stated, number / 8);
}

static void check_subject(struct sim *sim, const struct subject *subject)
{
    if (subject->said != subject->stated)
        violation(sim, "consents of %s: version %lld stands last in the topic, %lld in the rows",
                  subject->id, (long long)subject->said, (long long)subject->stated);
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        const char *says = subject->says[p], *states = subject->states[p];
        if ((says != NULL) != (states != NULL) || (says && strcmp(says, states) != 0))
            violation(sim, "consents of %s: %s is %s in the topic, %s in the rows", subject->id,
                      ingest_purpose_name(p), says ? says : "unknown", states ? states : "unknown");
    }
}

void check_consents(struct sim *sim)
{
    struct subjects *subjects = arena_alloc(sim->arena, sizeof(*subjects));
    const struct store_mem_table *rows =
        store_mem_table_get(sim->dbs[INGEST], &ingest_consents_table);
    for (int32_t p = 0; p < sim->partitions; p++) {
        const struct mem_log *log = bus_mem_log_get(sim->cluster, TOPIC_CONSENTS, p);
        for (int64_t i = 0; i < log->end - log->begin; i++)
            take_value(sim, subjects, &log->entries[i]->record);
    }
    for (unsigned i = 0; i < rows->n; i++)
        take_row(sim, subjects, rows->rows[i]);
    for (unsigned i = 0; i < subjects->n; i++)
        check_subject(sim, &subjects->all[i]);
}
