#pragma once
/*
 * letters: dead letters for people: an index of them in Postgres (accounts.dead_letters), the letters themselves in their
 * topics.
 *
 *   *.dlq ──letters_refresh──► accounts.dead_letters ◄── letters_list, letters_counts, letters_find
 *     ▲                               ▲
 *     └────────letters_read           └── letters_note: replaying, replayed, dropped; in the audit log, too
 *
 * The index is brought up to date by who reads it, from where it stood: so it is exact when it is asked, costs nothing
 * while nobody asks, and any number of readers may do so at once (rows are known by their letters, positions are compared
 * before they move). Everything here blocks: for a tool, or a thread of its own.
 */
#include "bus.h"
#include "json.h"

#define LETTERS_KEPT_DAYS 14 /* as their topics */
#define LETTER_ID_SIZE    320

enum letter_state {
    LETTER_OPEN,
    LETTER_REPLAYING, /* about to be sent; one that stays so may have been */
    LETTER_REPLAYED,
    LETTER_DROPPED
};
const char *letter_state_name(enum letter_state state);
int letter_state_find(struct slice name); /* -1: none */

struct letter {
    struct uuid tenant; /* zeros: it does not say whose it is */
    int topic;          /* with TOPIC_DLQ */
    int32_t partition;
    int64_t offset, time_us;
    struct slice code, field, reason, service, source, message_id, subject;
    struct slice said; /* its producer's number; empty: the gateway's own */
    enum letter_state state;
    int times;          /* how often it was sent back */
    struct slice actor; /* empty: nobody did anything */
    int64_t acted_us;
};

/* ---- one letter, as its record says (letter.c) ---- */

/* Borrows from the record and the arena. Of a message its tenant, else of the key. */
void letter_of_record(struct letter *letter, const struct bus_record *record, struct arena *arena);
/* "journey.events.v1.dlq.<partition>.<offset>.<time>": its name over HTTP. */
void letter_id(char out[LETTER_ID_SIZE], const struct letter *letter);
int letter_id_parse(struct letter *letter, struct slice id) MUST_CHECK; /* ERR_NOT_FOUND */
/* What the gateway could not read as an event is in the client's own words, which no topic takes as they are. */
bool letter_is_raw(const struct letter *letter);
/* "day/2026-01-31": the value is sealed, under that key; empty: it is readable. */
struct slice letter_sealed(const struct bus_record *record);
/* The record as it goes back to its topic: without what its dead letter added, and with an id that no reader takes for a
 * number seen before. headers: BUS_MAX_HEADERS. The value may be empty: then it could not be kept whole, and does not go. */
void letter_send_back(struct bus_message *message, struct bus_header *headers,
                      const struct bus_record *record, int64_t now_us, struct arena *arena);
/* The members of a letter in a list, into the object that w is in. */
void letter_write(struct json_writer *w, const struct letter *letter);
/* "headers", "key" and "content": decoded, as text, or null with "sealed". `opened`: what a sealed value holds; empty: it stays closed. */
void letter_write_content(struct json_writer *w, const struct bus_record *record,
                          struct slice opened, struct arena *arena);

/* ---- all of them ---- */

struct letters; /* one connection, and a borrowed bus that only reads */
struct letters *letters_create(const char *database_url, const char *application_name,
                               struct bus *bus); /* connects when first asked; NULL: no memory */
void letters_destroy(struct letters **letters);

/* Adds what came since, as long as the time allows. 1: the index is complete; 0: there is more than that. */
int letters_refresh(struct letters *letters, int timeout_ms, struct err *err) MUST_CHECK;

struct letters_filter {
    const struct uuid *tenant; /* NULL: of all */
    int topic;                 /* -1: any; else with TOPIC_DLQ */
    int state;                 /* of enum letter_state; -1: any */
    const char *reason;        /* its code, or part of its text; NULL: any */
    const char *message_id, *subject;
    int64_t partition, offset; /* -1: any */
    bool oldest_first;         /* as they are sent back */
};
#define LETTERS_ANY                                                                                \
    ((struct letters_filter){.topic = -1, .state = -1, .partition = -1, .offset = -1})

struct letters_page {
    struct letter *list; /* newest first unless the filter says otherwise; in the arena */
    unsigned n;
    bool more;
};
/* after: those behind this one, in the same order; NULL: from the first. */
int letters_list(struct letters *letters, const struct letters_filter *filter,
                 const struct letter *after, unsigned limit, struct letters_page *page,
                 struct arena *arena, struct err *err) MUST_CHECK;
/* Open ones and others by topic and reason, as a JSON array into w. */
int letters_counts(struct letters *letters, const struct uuid *tenant, struct json_writer *w,
                   struct err *err) MUST_CHECK;
/* By its place and time; *found false: there is none of this tenant. */
int letters_find(struct letters *letters, const struct uuid *tenant, struct letter *letter,
                 bool *found, struct arena *arena, struct err *err) MUST_CHECK;
/* Their records, by ascending place: take(i of list). Those that the log no longer has are left out. */
int letters_read(struct letters *letters, const struct letter *list, unsigned n, int timeout_ms,
                 void (*take)(void *user, unsigned i, const struct bus_record *record), void *user,
                 struct err *err) MUST_CHECK;
/* Of each: notes the state, unless something else was done before (noted[i] false); all or none. `again`: also then. */
struct letters_actor {
    const char *name, *address; /* address NULL: unknown */
};
int letters_note(struct letters *letters, const struct letter *list, unsigned n,
                 enum letter_state state, bool again, const struct letters_actor *actor,
                 bool *noted, struct err *err) MUST_CHECK;
