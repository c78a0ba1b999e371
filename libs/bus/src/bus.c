/* What both buses share, and what needs neither. */
#include "common.h"

#include <stdio.h>

const struct bus_header *bus_record_header(const struct bus_record *record, const char *name)
{
    for (unsigned i = 0; i < record->n_headers; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return &record->headers[i];
    return NULL;
}

void bus_dead_letter_labels(char out[BUS_LABELS_SIZE], int topic, const char *code)
{
    char reason[80];
    size_t n = 0;
    for (; code[n] && n < sizeof(reason) - 1; n++)
        reason[n] = (char)(strchr("\"\\\n", code[n]) ? '_' : code[n]);
    reason[n] = '\0';
    (void)snprintf(out, BUS_LABELS_SIZE, "topic=\"%s\",reason=\"%s\"", topic_info(topic)->name,
                   reason);
}

size_t bus_message_bytes(const struct bus_message *message)
{
    size_t size = message->key.size + message->value.size;
    for (unsigned i = 0; i < message->n_headers; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value.size;
    return size;
}

int bus_partition_check(int topic, int32_t partition, int32_t partitions, struct err *err)
{
    if (!topic_valid(topic))
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "no topic %d", topic);
    if (partition < 0 || partition >= partitions)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s has no partition %d of %d",
                       topic_name(topic), partition, partitions);
    return 0;
}

int bus_message_check(const struct bus_message *message, int32_t partitions, struct err *err)
{
    int r = bus_partition_check(message->topic, message->partition, partitions, err);
    if (r < 0)
        return r;
    if (message->n_headers > BUS_MAX_HEADERS)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%u headers, more than %d",
                       message->n_headers, BUS_MAX_HEADERS);
    size_t size = bus_message_bytes(message);
    if (size > BUS_MAX_RECORD_BYTES)
        return err_set(err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT,
                       "record for %s has %zu bytes, more than %d", topic_name(message->topic),
                       size, BUS_MAX_RECORD_BYTES);
    return 0;
}
