#include "publish.h"

#include "database.h"
#include "journey/v1/settings.pb-c.h"

#include <poll.h>
#include <stdlib.h>

#define DELIVERY_WAIT_US                                                                           \
    (15 * SECOND_US) /* past the producer's own limit, so that its report comes first */
#define COOKIE 1

/* Returns 1 when it was delivered, 0 when nothing is known yet, or an error. */
static int take_reports(struct bus *bus, struct err *err)
{
    struct bus_event event;
    int result = 0;
    while (result == 0 && bus_poll_control(bus, &event) > 0) {
        if (event.type == BUS_DELIVERED && event.cookie == COOKIE)
            result = 1;
        else if (event.type == BUS_PRODUCER_FAILED)
            result = err_set(err, event.err.code, event.err.class, "%s", event.err.message);
        bus_event_release(bus, &event);
    }
    return result;
}

static int send_and_wait(struct bus *bus, const struct bus_message *message, struct err *err)
{
    struct clock *clock = clock_system();
    int64_t until_us = clock->now_us(clock) + DELIVERY_WAIT_US;
    int status = bus_send(bus, message, err);
    while (status == 0) {
        status = take_reports(bus, err);
        if (status == 0 && clock->now_us(clock) > until_us)
            return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT,
                           "the broker did not confirm in time");
        struct pollfd fd = {.fd = bus_fd(bus), .events = POLLIN};
        if (status == 0 && poll(&fd, fd.fd >= 0, 50) > 0)
            bus_drain_fd(bus);
    }
    return status < 0 ? status : 0;
}

int publish_message(struct ctl *ctl, const struct bus_message *message)
{
    struct err err;
    struct bus_message copy = *message;
    copy.cookie = COOKIE;
    int status = ctl_bus(ctl, message->topic);
    if (status != CTL_DONE)
        return status;
    if (send_and_wait(ctl->bus, &copy, &err) < 0)
        return ctl_fail_err(topic_name(message->topic), &err);
    return CTL_DONE;
}

/* ---- settings ---- */

int publish_settings_lock(struct ctl *ctl, const char *tenant_id)
{
    return database_run(ctl,
                        "select pg_advisory_lock(hashtextextended('journey settings ' || $1, 0))",
                        1, tenant_id);
}

static int settings_load(struct ctl *ctl, const char *tenant_id, PGresult **tenant,
                         PGresult **settings)
{
    /* under the lock nothing changes between the two */
    int status =
        database_query(ctl, tenant,
                       "select settings_version, analytics_basis, analytics_reason, status "
                       "from accounts.organizations where tenant_id = $1",
                       1, tenant_id);
    if (status == CTL_DONE && PQntuples(*tenant) != 1)
        status = ctl_fail(CTL_FAILED, "the tenant is gone");
    if (status == CTL_DONE)
        status = database_query(
            ctl, settings,
            "select key, value from accounts.settings where tenant_id = $1 order by key", 1,
            tenant_id);
    return status;
}

static const Journey__V1__Setting *settings_fill(struct ctl *ctl, const PGresult *settings,
                                                 Journey__V1__TenantSettings *message)
{
    int n = PQntuples(settings);
    Journey__V1__Setting *list = arena_alloc(ctl->arena, (size_t)(n + 1) * sizeof(*list));
    message->settings = arena_alloc(ctl->arena, (size_t)(n + 1) * sizeof(*message->settings));
    if (!list || !message->settings)
        return NULL;
    for (int i = 0; i < n; i++) {
        journey__v1__setting__init(&list[i]);
        list[i].key = PQgetvalue(settings, i, 0);
        list[i].value = PQgetvalue(settings, i, 1);
        message->settings[i] = &list[i];
    }
    message->n_settings = (size_t)n;
    return list;
}

static int settings_send(struct ctl *ctl, const char *tenant_id,
                         const Journey__V1__TenantSettings *message)
{
    char time[TIME_TEXT_SIZE];
    time_format(time, clock_system()->now_us(clock_system()));
    const char *id =
        arena_printf(ctl->arena, "settings/%s/%lld", tenant_id, (long long)message->version);
    size_t size = journey__v1__tenant_settings__get_packed_size(message);
    uint8_t *value = arena_alloc(ctl->arena, size + 1);
    if (!value || !id)
        return ctl_fail(CTL_FAILED, "no memory");
    journey__v1__tenant_settings__pack(message, value);
    const struct bus_header headers[] = {
        {"ce_id", slice_str(id)},
        {"ce_type", SLICE_LITERAL("journey.v1.TenantSettings")},
        {"ce_source", SLICE_LITERAL("/journey/journeyctl")},
        {"ce_time", slice_str(time)},
        {"ce_specversion", SLICE_LITERAL("1.0")},
        {"ce_dataschema", SLICE_LITERAL("/schemas/journey.v1.proto")},
        {"content-type", SLICE_LITERAL("application/protobuf")},
    };
    const struct bus_message sent = {
        .topic = TOPIC_SETTINGS,
        .partition = topic_partition(slice_str(tenant_id), ctl->place.partitions),
        .key = slice_str(tenant_id),
        .value = slice_make(value, size),
        .headers = headers,
        .n_headers = ARRAY_SIZE(headers),
    };
    return publish_message(ctl, &sent);
}

static int settings_say(struct ctl *ctl, const char *tenant_id)
{
    _cleanup_(database_free) PGresult *tenant = NULL, *settings = NULL;
    struct uuid id;
    int status = settings_load(ctl, tenant_id, &tenant, &settings);
    if (status != CTL_DONE)
        return status;
    if (uuid_parse(&id, slice_str(tenant_id)) < 0)
        return ctl_fail(CTL_FAILED, "'%s' is no tenant id", tenant_id);
    Journey__V1__TenantSettings message;
    journey__v1__tenant_settings__init(&message);
    message.tenant_id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    message.version = strtoll(PQgetvalue(tenant, 0, 0), NULL, 10);
    message.analytics_basis = PQgetvalue(tenant, 0, 1);
    message.analytics_reason = PQgetvalue(tenant, 0, 2);
    message.status = PQgetvalue(tenant, 0, 3);
    if (!settings_fill(ctl, settings, &message))
        return ctl_fail(CTL_FAILED, "no memory");
    status = settings_send(ctl, tenant_id, &message);
    if (status != CTL_DONE)
        return status;
    return database_run(ctl,
                        "update accounts.organizations set settings_published = "
                        "greatest(settings_published, $2) where tenant_id = $1",
                        2, tenant_id, PQgetvalue(tenant, 0, 0));
}

int publish_settings(struct ctl *ctl, const char *tenant_id, const char *name)
{
    if (settings_say(ctl, tenant_id) == CTL_DONE)
        return CTL_DONE;
    return ctl_fail(CTL_PARTLY,
                    "the settings of %s are stored, but the services do not know of them yet\n"
                    "  when the log is back: journeyctl settings publish --tenant %s",
                    name, name);
}
