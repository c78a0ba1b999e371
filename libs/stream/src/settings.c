#include "stream.h"

#include "topics.h"

#include "journey/v1/settings.pb-c.h"

static int64_t version(const void *body)
{
    const Journey__V1__TenantSettings *settings = body;
    return settings->version;
}

const struct stream_mirror stream_settings_mirror = {
    .topic = TOPIC_SETTINGS,
    .type = &journey__v1__tenant_settings__descriptor,
    .version = version,
    .limit = 10000, /* tenants */
};
