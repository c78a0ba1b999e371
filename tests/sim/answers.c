/* One answer for each command id, whoever asks and however often; and what was answered is what happened. */
#include "sim.h"

#include "journey/v1/command.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_COPIES = 32
};

struct replies {
    uint8_t answered[MAX_ACTIONS][MAX_COPIES];
};

static int status_of(const Journey__V1__Reply *reply)
{
    return reply->problem ? reply->problem->status : reply->status;
}

/* What it says, whoever it is said to. */
static uint64_t hash_of(Journey__V1__Reply *reply)
{
    uint8_t *bytes;
    char *correlation = reply->correlation_id;
    char none[1] = "";
    reply->correlation_id = none;
    size_t size = journey__v1__reply__get_packed_size(reply);
    bytes = malloc(size + 1);
    if (!bytes)
        abort();
    journey__v1__reply__pack(reply, bytes);
    uint64_t hash = hash64(bytes, size, 3);
    free(bytes);
    reply->correlation_id = correlation;
    return hash;
}

static void take_answer(struct sim *sim, struct action *action, Journey__V1__Reply *reply)
{
    struct command_fate *command = &action->command;
    int status = status_of(reply);
    bool reused = status == 422, read = action->what == 5 || action->what == 6;
    const char *detail = reply->problem ? reply->problem->detail : "";
    tally.steps[STEP_REUSED] += reused;
    tally.steps[STEP_FULL_PARKED] += strstr(detail, "too many messages wait") != NULL;
    tally.steps[STEP_FULL_ASKS] += strstr(detail, "too many questions") != NULL;
    if (reused && !command->other_body)
        violation(sim, "%s is refused as reused, but every copy had the same body",
                  reply->correlation_id);
    size_t size = strlen(reply->correlation_id);
    bool other = reply->correlation_id[size - 1] == 'x';
    command->reused |= (uint8_t)(reused << other);
    if (read || reused || status == 404 || status == 500 || status == 503 || command->unusable)
        return; /* reads differ; what was not found, or refused for a limit, may be done later */
    uint64_t hash = hash_of(reply);
    if (command->status && (command->status != status || command->hash != hash))
        violation(sim, "one answer per command: %s is answered %d, before %d%s",
                  reply->correlation_id, status, command->status,
                  command->status == status ? ", in other words" : "");
    if (command->status && command->answered != 1U + other)
        violation(sim, "%s has another body than what was answered, and is not refused",
                  reply->correlation_id);
    command->answered = 1U + other;
    if (command->status)
        tally.steps[STEP_DEDUPED]++;
    command->status = status;
    command->hash = hash;
}

static void take_reply(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    struct replies *replies = sim->checks;
    Journey__V1__Reply *reply =
        journey__v1__reply__unpack(&allocator, record->value.size, record->value.data);
    char *end;
    unsigned long number = strtoul(reply->correlation_id + 1, &end, 10);
    unsigned long copy = *end == '.' ? strtoul(end + 1, NULL, 10) : MAX_COPIES;
    if (number >= sim->plan->n || copy >= MAX_COPIES ||
        copy >= sim->plan->actions[number].command.copies) {
        violation(sim, "an answer to nobody: %s", reply->correlation_id);
        return;
    }
    if (replies->answered[number][copy]++)
        violation(sim, "%s is answered twice", reply->correlation_id);
    take_answer(sim, &sim->plan->actions[number], reply);
}

static void check_command(struct sim *sim, unsigned a)
{
    const struct replies *replies = sim->checks;
    const struct action *action = &sim->plan->actions[a];
    const struct command_fate *command = &action->command;
    unsigned touchpoints = 0;
    for (unsigned copy = 0; copy < command->copies && copy < MAX_COPIES; copy++)
        if (!replies->answered[a][copy] &&
            action->what != 6) /* a page may be lost: it is asked again */
            violation(sim, "c%u.%u was never answered", a, copy);
    if (command->status && command->reused & command->answered)
        violation(sim, "c%u was answered %d, and a copy of that body is refused as reused", a,
                  command->status);
    if (action->what == 1 && command->status == 200)
        touchpoints = 1;
    if (action->what == 2 && command->status == 201)
        touchpoints = 1;
    bool repeated_order = action->what == 3 && command->status == 201;
    if (command->touchpoints != touchpoints && !(repeated_order && command->touchpoints == 1))
        violation(sim, "c%u, answered %d, made %u touchpoints", a, command->status,
                  command->touchpoints);
}

void check_answers(struct sim *sim)
{
    sim->checks = calloc(1, sizeof(struct replies));
    if (!sim->checks)
        abort();
    ledger_each(sim, TOPIC_REPLIES, take_reply);
    for (unsigned a = 0; a < sim->plan->n && !sim->violation[0]; a++)
        if (sim->plan->actions[a].kind == ACT_COMMAND && sim->plan->actions[a].done)
            check_command(sim, a);
    free(sim->checks);
    sim->checks = NULL;
}
