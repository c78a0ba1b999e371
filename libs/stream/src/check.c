/* What a service declares, looked at before anything starts: a slip is told in words, not by what it breaks later. */
#include "internal.h"

static bool is_state_table(const struct store_table *t)
{
    return t && t->n_columns >= 3 && t->n_key == 2 && t->conflict == STORE_UPDATE &&
           t->columns[0].type == STORE_UUID &&
           (t->columns[1].type == STORE_TEXT || t->columns[1].type == STORE_BYTES) &&
           t->columns[t->n_columns - 1].type == STORE_BYTES;
}

static bool is_parts_table(const struct store_table *t)
{
    return t && t->n_columns == 4 && t->n_key == 3 && t->columns[0].type == STORE_UUID &&
           (t->columns[2].type == STORE_BIGINT || t->columns[2].type == STORE_TIME) &&
           t->columns[3].type == STORE_BYTES;
}

static const char *fault_of_state(const struct stream_state *state)
{
    if (!state->name || !state->type)
        return "name or type is missing";
    if (!is_state_table(state->table))
        return "the columns of its table are to be tenant_id (uuid), the id (text or bytes), any "
               "others, state (bytes); "
               "n_key 2; STORE_UPDATE";
    if (state->table->n_columns > 3 && !state->project)
        return "its table has columns between id and state, but there is no project()";
    if (state->parts && !is_parts_table(state->parts->table))
        return "the columns of its parts are to be tenant_id, the id, sub (bigint or time), data "
               "(bytes); n_key 3";
    return NULL;
}

static bool has_state(const struct stream_service *service, const struct stream_state *state)
{
    for (unsigned i = 0; i < service->n_states; i++)
        if (service->states[i] == state)
            return true;
    return false;
}

static bool fits(enum bus_lane lane, enum topic_kind kind)
{
    return (lane == BUS_LANE_COMMANDS && kind == TOPIC_KIND_COMMANDS) ||
           (lane == BUS_LANE_EVENTS &&
            (kind == TOPIC_KIND_EVENTS || kind == TOPIC_KIND_COMPACTED)) ||
           (lane == BUS_LANE_IMPORTS && kind == TOPIC_KIND_IMPORTS);
}

static const char *fault_of_input(const struct stream_service *service,
                                  const struct stream_input *input)
{
    const struct topic_info *topic = topic_info(input->topic);
    if (!input->type || !input->key || !input->decide)
        return "type, key or decide is missing";
    if (!has_state(service, input->state))
        return "its state is not among the service's states";
    if (strcmp(input->type->short_name, topic->message_type) != 0)
        return "its type is not the one that topics.h gives the topic";
    if (!fits(input->lane, topic->kind))
        return "its lane is not of the kind that topics.h gives the topic";
    return NULL;
}

int check_service(const struct stream_service *service, struct err *err)
{
    const char *fault;
    if (service->n_inputs < 1 || service->n_inputs > MAX_INPUTS)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "%s: it needs 1 to %d inputs",
                       service->name, MAX_INPUTS);
    if (service->n_states < 1 || service->n_states >= MAX_STATES)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "%s: it needs 1 to %d states",
                       service->name, MAX_STATES - 1);
    for (unsigned i = 0; i < service->n_states; i++)
        if ((fault = fault_of_state(service->states[i])))
            return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "%s: state %s: %s", service->name,
                           service->states[i]->name ? service->states[i]->name : "?", fault);
    for (unsigned i = 0; i < service->n_inputs; i++)
        if ((fault = fault_of_input(service, &service->inputs[i])))
            return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "%s: input %s: %s", service->name,
                           topic_name(service->inputs[i].topic), fault);
    return STATUS_OK;
}
