/* The table of commands: what can be typed, what it means, an example of each. */
#include "ctl.h"
#include "load.h"
#include "operate.h"
#include "settings.h"
#include "tenants.h"

#define TENANT                                                                                     \
    {                                                                                              \
        "tenant", "NAME", "whose", true                                                            \
    }
#define JSON                                                                                       \
    {                                                                                              \
        "json", NULL, "one JSON object a line", false                                              \
    }
#define OPTIONS(table) table, ARRAY_SIZE(table)
#define NO_OPTIONS     NULL, 0

static const struct command_option topics_create_options[] = {
    {"replication", "N", "copies of each partition (default: the brokers' own setting)", false},
};
static const struct command_option topics_list_options[] = {
    {"markdown", NULL, "as a table for documents", false},
};
static const struct command_option tenants_create_options[] = {
    {"analytics-basis", "BASIS", "consent, or legitimate_interest", false},
    {"reason", "TEXT", "the legitimate interest, in words for those affected", false},
    {"rate", "LIMIT", "requests a second of each key: default, none, or a number", false},
    {"if-missing", NULL, "if there is one of that name: prints its id and changes nothing", false},
};
static const struct command_option list_options[] = {JSON};
static const struct command_option keys_create_options[] = {
    TENANT,
    {"kind", "KIND", "write (may send, for browsers), or secret (may do all)", true},
    {"value", "KEY", "takes this existing key instead of making one", false},
    {"app-id", "ID", "for Snowplow trackers, which send their app id alone", false},
    {"expires", "WHEN", "30d, 12h, or a time; default: never", false},
};
static const struct command_option keys_list_options[] = {TENANT, JSON};
static const struct command_option keys_rotate_options[] = {
    TENANT,
    {"overlap", "DURATION", "how long the old key still works (default 24h)", false},
};
static const struct command_option tenant_options[] = {TENANT};
static const struct command_option tail_options[] = {
    {"tenant", "NAME", "only this tenant's records", false},
    {"all-tenants", NULL, "everybody's", false},
    {"json", NULL, "one JSON object a line (there is no other form)", false},
    {"until-end", NULL, "stops at the end as it is now; else goes on until Ctrl-C", false},
    {"from-beginning", NULL, "what is kept, then what comes (the default)", false},
    {"only-new", NULL, "only what comes from now on", false},
    {"limit", "N", "stops after N records", false},
};
static const struct command_option dlq_list_options[] = {
    {"topic", "TOPIC", "the dead letters of this topic (default: of all)", false},
    {"tenant", "NAME", "only this tenant's", false},
    {"reason", "TEXT", "only with this reason: its code, or a part of its text", false},
    {"state", "STATE", "only those that are open, replaying, replayed or dropped", false},
    {"partition", "N", "only of this partition", false},
    {"offset", "N", "only at this offset", false},
    JSON,
    {"limit", "N", "at most N", false},
};
static const struct command_option dlq_act_options[] = {
    {"topic", "TOPIC", "the dead letters of this topic", true},
    {"tenant", "NAME", "only this tenant's", false},
    {"reason", "TEXT", "only with this reason: its code, or a part of its text", false},
    {"partition", "N", "only of this partition", false},
    {"offset", "N", "only at this offset", false},
    {"again", NULL, "also those that were dealt with before", false},
};
static const struct command_option sessions_list_options[] = {
    TENANT,
    JSON,
    {"limit", "N", "the N that began last (default: all)", false},
};
static const struct command_option settings_get_options[] = {TENANT, JSON};
static const struct command_option settings_publish_options[] = {
    {"tenant", "NAME", "this tenant's, whether needed or not", false},
    {"all", NULL, "every tenant's (after the topic was made anew)", false},
};
static const struct command_option replay_options[] = {
    {"url", "URL", "the gateway (default: this installation's)", false},
    {"key", "KEY", "a write key", true},
    {"dataset", "NAME", "retentioneering, completejourney, or auto (default)", false},
    {"shift-to-now", NULL, "moves all times so that the last event is now", false},
    {"connections", "N", "requests at a time (default 4)", false},
};
static const struct command_option import_options[] = {
    {"tenant", "NAME", "whose they are; a key is made for the occasion", false},
    {"key", "KEY", "or a secret key of theirs", false},
    {"url", "URL", "the gateway (default: this installation's)", false},
    {"format", "FORMAT", "csv, json, or a form, as JSON lines (default: by the name)", false},
    {"form", "FORM", "segment (default), snowplow, cloudevents, ...", false},
    {"map", "MAP", "what columns are: HEADER=PATH,... or @FILE with one a line", false},
    {"restart", NULL, "from the beginning, not from where it was stopped", false},
    {"print", NULL, "prints the events as JSON lines and sends nothing", false},
};
static const struct command_option load_options[] = {
    {"url", "URL[,URL]", "the gateways, in turn", true},
    {"key", "KEY", "a write key", true},
    {"secret-key", "KEY", "a secret key of the same tenant", true},
    {"rate", "N", "events and commands a second (default 500)", false},
    {"seconds", "N", "for how long (default 10)", false},
    {"visitors", "N", "at a time (default 100)", false},
    {"patience", "N", "seconds to wait for the last answers (default 120)", false},
    {"record", "FILE", "what was acknowledged: kind, session, id, status, a line each", false},
};
static const struct command_option demo_options[] = {
    {"url", "URL", "the gateway (default: this installation's)", false},
};

const struct command command_table[] = {
    {"demo", "[FOLDER]", "replays a year of real shopping and shows what came of it",
     "Makes the tenant demo if need be, sends the data set completejourney (84,000 events) through "
     "the\n"
     "gateway, moved in time so that it ends now, and prints what the engine knows then. Doing it "
     "again\n"
     "within a day changes nothing: every event is known by its message id.\n",
     "  journeyctl demo\n", 0, 1, OPTIONS(demo_options), command_demo},
    {"tail", "TOPIC", "shows a topic's records as JSON",
     "TOPIC is a name from `topics list`, full (journey.touchpoints.v1) or short (touchpoints), "
     "with .dlq\n"
     "for its dead letters. From the beginning of what is kept, in each partition's order. A "
     "record that its\n"
     "producer said twice (after a crash, say) is shown once, as every reader in the engine takes "
     "it.\n",
     "  journeyctl tail touchpoints --tenant demo --json --until-end | wc -l\n", 1, 1,
     OPTIONS(tail_options), command_tail},
    {"sessions list", "", "shows sessions as the tables have them",
     "The rows of journey.journey_sessions, latest start first.\n",
     "  journeyctl sessions list --tenant demo --json --limit 5\n", 0, 0,
     OPTIONS(sessions_list_options), command_sessions_list},
    {"replay", "FOLDER|FILE", "sends a data set through the gateway",
     "Reads the CSV files, plain or gzipped, and sends their events in batches. Message ids come "
     "from the\n"
     "rows' numbers: the same replay again changes nothing, and one that was stopped can be "
     "started over.\n"
     "Events of one device arrive in order of their time. Waits and goes on when the gateway is "
     "busy or away.\n",
     "  journeyctl replay ../shared/data/retentioneering_ecom --key jm_wk_...\n", 1, 1,
     OPTIONS(replay_options), command_replay},
    {"import", "FILE...", "sends past events through the gateway, at their own times",
     "A file is JSON lines, an event each, or CSV with a header, plain or gzipped. A column is a "
     "path in the event:\n"
     "messageId, event, anonymousId, timestamp, properties.price; --map names those that are "
     "called otherwise\n"
     "('cost=properties.price,zip=properties.zip:text,internal='). What is no event goes to "
     "FILE.rejected with its line\n"
     "and the reason. FILE.import says how far it is: the same command goes on from there, after "
     "whatever stopped it.\n",
     "  journeyctl import orders-2023.csv.gz --tenant shop --map "
     "'customer=userId,sum=properties.total'\n",
     1, 32, OPTIONS(import_options), command_import},
    {"load", "", "sends made-up visitors at a steady rate",
     "Sessions, events, stages, purchases; every request is repeated under the same ids until it "
     "is answered,\n"
     "so that the record (--record) can be compared with the tables and the log: nothing may be "
     "missing in\n"
     "them, and nothing twice. Ends with the rate and the times of the answers. Use a tenant of "
     "its own\n"
     "without a rate limit.\n",
     "  journeyctl load --url http://127.0.0.1:8000 --key jm_wk_... --secret-key jm_sk_... --rate "
     "500\n",
     0, 0, OPTIONS(load_options), command_load},
    {"tenants create", "NAME", "makes an organisation and prints its id",
     "--analytics-basis: on what ground its visitors are analysed. With `consent` (the default) "
     "only those who agreed keep "
     "their ids;\n"
     "with `legitimate_interest` all, for a reason that you can state. It also gets the key under "
     "which\n"
     "identifiers are hashed, and its settings are published to the services.\n",
     "  journeyctl tenants create shop --analytics-basis legitimate_interest --reason 'our own "
     "statistics'\n",
     1, 1, OPTIONS(tenants_create_options), command_tenants_create},
    {"tenants list", "", "shows all organisations", "Id, status, basis of analytics, name.\n",
     "  journeyctl tenants list\n", 0, 0, OPTIONS(list_options), command_tenants_list},
    {"keys create", "", "makes a key and prints it, alone, on stdout",
     "It is shown this once; the database keeps its hash. A key is jm_wk_ or jm_sk_, 30 random "
     "characters\n"
     "(0-9 A-Z a-z), and 6 that check it: the CRC-32 of all before them in base62, most "
     "significant first,\n"
     "padded with 0. --value brings along the key that another SDK is already using. --app-id lets "
     "in what a\n"
     "Snowplow tracker of that app id sends; it is a write key that begins with app: and no other "
     "key can.\n",
     "  KEY=$(journeyctl keys create --tenant demo --kind write)\n", 0, 0,
     OPTIONS(keys_create_options), command_keys_create},
    {"keys list", "", "shows a tenant's keys, by their beginnings",
     "Id, kind, beginning, when it was made and when it ends.\n",
     "  journeyctl keys list --tenant demo\n", 0, 0, OPTIONS(keys_list_options), command_keys_list},
    {"keys rotate", "KEY", "makes a new key like KEY and lets KEY expire",
     "KEY is its text, its id or its beginning from `keys list`. The old one works on for the "
     "overlap.\n",
     "  journeyctl keys rotate jm_wk_AbCdEf --tenant demo --overlap 24h\n", 1, 1,
     OPTIONS(keys_rotate_options), command_keys_rotate},
    {"keys revoke", "KEY", "ends a key now",
     "KEY is its text, its id or its beginning from `keys list`.\n",
     "  journeyctl keys revoke jm_wk_AbCdEf --tenant demo\n", 1, 1, OPTIONS(tenant_options),
     command_keys_revoke},
    {"settings get", "[KEY]", "shows a tenant's settings, with meaning and range",
     "One KEY alone prints just its value.\n", "  journeyctl settings get --tenant demo\n", 0, 1,
     OPTIONS(settings_get_options), command_settings_get},
    {"settings set", "KEY VALUE", "changes one setting of a tenant",
     "Stores it with a new version and publishes it to the services. If it can be stored but not "
     "published\n"
     "(exit status 4), `settings publish` does the rest later.\n",
     "  journeyctl settings set --tenant demo session_idle_seconds 900\n", 2, 2,
     OPTIONS(tenant_options), command_settings_set},
    {"settings publish", "", "publishes settings that are stored only",
     "Of all tenants whose newest version the log does not have; or of one, or of all.\n",
     "  journeyctl settings publish\n", 0, 0, OPTIONS(settings_publish_options),
     command_settings_publish},
    {"hash", "TENANT KIND VALUE", "the hash under which an identifier is in the log",
     "KIND is user, device, session, fingerprint or group; VALUE - reads it from stdin. That it "
     "was "
     "asked for is\n"
     "kept in the audit log, the value is not.\n",
     "  journeyctl hash shop user ann@example.com\n", 3, 3, NO_OPTIONS, command_hash},
    {"unseal", "TENANT SUBJECT SEALED", "opens a sealed part of an event",
     "SUBJECT is the hash of the event's user, else of its device. SEALED is hex or base64; - "
     "reads "
     "one a line\n"
     "from stdin. Needs the master key (JOURNEY_MASTER_KEY_FILE or JOURNEY_MASTER_KEY). Kept in "
     "the "
     "audit log.\n",
     "  journeyctl tail events --tenant shop --json --until-end | jq -r '.events[].sealed' |\n"
     "      journeyctl unseal shop 5f0c...e1 -\n",
     3, 3, NO_OPTIONS, command_unseal},
    {"dlq list", "", "shows dead letters: messages that a service could not use, and why",
     "Each line: topic, partition/offset, time, state (open, replaying, replayed, dropped), "
     "reason, message id.\n"
     "Newest first, out of the index that /api/v1/dead-letters shows.\n",
     "  journeyctl dlq list --topic events --tenant demo\n", 0, 0, OPTIONS(dlq_list_options),
     command_dlq_list},
    {"dlq show", "ID", "shows one dead letter: its headers, and what it holds",
     "Its id as in `dlq list --json`. What is sealed stays so.\n",
     "  journeyctl dlq show journey.events.v1.dlq.3.17.1767312000000\n", 1, 1, NULL, 0,
     command_dlq_show},
    {"dlq replay", "", "sends dead letters back to the topic they came from",
     "After what was wrong has been put right. Each once: a second time needs --again.\n",
     "  journeyctl dlq replay --topic events --reason bad_timestamp\n", 0, 0,
     OPTIONS(dlq_act_options), command_dlq_replay},
    {"dlq drop", "", "marks dead letters as done with", "They stay in the log until they expire.\n",
     "  journeyctl dlq drop --topic events --partition 3 --offset 17\n", 0, 0,
     OPTIONS(dlq_act_options), command_dlq_drop},
    {"topics list", "", "shows the log's topics",
     "What each holds, its key, and how long it is kept.\n", "  journeyctl topics list\n", 0, 0,
     OPTIONS(topics_list_options), command_topics_list},
    {"topics create", "", "makes the topics that are missing",
     "Those that are there are compared with the table, differences are reported and nothing is "
     "changed.\n"
     "The number of partitions (JOURNEY_PARTITIONS) can never be changed afterwards.\n",
     "  journeyctl topics create --replication 3\n", 0, 0, OPTIONS(topics_create_options),
     command_topics_create},
    {"topics", "[list|create]", "the same as topics list", "", "  journeyctl topics\n", 0, 0,
     OPTIONS(topics_list_options), command_topics_list},
    {"migrate", "[FOLDER]", "brings the database's schemas up to date",
     "Carries out what is new in FOLDER (default: JOURNEY_MIGRATIONS, else the `migrations` beside "
     "this\n"
     "program), each file once. Makes each service's database role. Several may run at once.\n",
     "  journeyctl migrate\n", 0, 1, NO_OPTIONS, command_migrate},
};
const unsigned command_table_size = ARRAY_SIZE(command_table);
