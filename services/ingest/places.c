#include "places.h"
#include <arpa/inet.h>
#include <maxminddb.h>
#include <stdlib.h>

struct places {
    MMDB_s file;
};

int places_open(struct places **out, const char *path, struct err *err)
{
    struct places *places = calloc(1, sizeof(*places));
    if (!places)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for places");
    int fault = MMDB_open(path, MMDB_MODE_MMAP, &places->file);
    if (fault) {
        free(places);
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", MMDB_strerror(fault));
    }
    *out = places;
    return STATUS_OK;
}

void places_close(struct places **out)
{
    struct places *places = *out;
    *out = NULL;
    if (!places)
        return;
    MMDB_close(&places->file);
    free(places);
}

static bool address_parse(struct slice text, struct sockaddr_storage *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof(*address));
    if (text.size == 0 || text.size >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    if (inet_pton(AF_INET, copy, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return true;
    }
    v6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, copy, &v6->sin6_addr) == 1;
}

static struct slice text_at(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) || !data.has_data ||
        data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return slice_make(NULL, 0);
    struct slice text = slice_make(data.utf8_string, data.data_size);
    return utf8_valid(text) ? text : slice_make(NULL, 0);
}

struct place places_find(const struct places *places, struct slice text)
{
    static const char *const country[] = {"country", "iso_code", NULL};
    static const char *const region[] = {"subdivisions", "0", "iso_code", NULL};
    static const char *const city[] = {"city", "names", "en", NULL};
    struct sockaddr_storage address;
    struct place place = {.country = {0}};
    int fault;
    if (!address_parse(text, &address))
        return place;
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&places->file, (const struct sockaddr *)&address, &fault);
    if (fault || !found.found_entry)
        return place;
    place.country = text_at(&found.entry, country);
    place.region = text_at(&found.entry, region);
    place.city = text_at(&found.entry, city);
    return place;
}
