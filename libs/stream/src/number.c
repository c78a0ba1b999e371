/* Numbered ids and the CloudEvents headers of what is said. */
#include "internal.h"

bool stream_number_parse(struct slice id, struct stream_number *number)
{
    /* "<service>.<generation>/<partition>/<topic>/<partition>/<number>" */
    size_t slashes = 0, second = 0, last = 0;
    for (size_t i = 0; i < id.size; i++) {
        if (id.data[i] == '/') {
            slashes++;
            last = i;
            if (slashes == 2)
                second = i;
        }
    }
    if (slashes != 4 || second > MAX_PRODUCER_NAME || last + 1 >= id.size || id.size - last > 20)
        return false;
    uint64_t n = 0;
    for (size_t i = last + 1; i < id.size; i++) {
        if (id.data[i] < '0' || id.data[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(id.data[i] - '0');
    }
    if (n == 0)
        return false;
    *number = (struct stream_number){slice_make(id.data, second), n};
    return true;
}

unsigned headers_cloudevents(struct bus_header *headers, struct slice id, const char *type,
                             const char *source, const char *time, const char *trace)
{
    unsigned n = 0;
    headers[n++] = (struct bus_header){"ce_id", id};
    headers[n++] = (struct bus_header){"ce_type", slice_str(type)};
    headers[n++] = (struct bus_header){"ce_source", slice_str(source)};
    headers[n++] = (struct bus_header){"ce_time", slice_str(time)};
    headers[n++] = (struct bus_header){"ce_specversion", SLICE_LITERAL("1.0")};
    headers[n++] = (struct bus_header){"ce_dataschema", SLICE_LITERAL("/schemas/journey.v1.proto")};
    headers[n++] = (struct bus_header){"content-type", SLICE_LITERAL("application/protobuf")};
    if (trace && *trace)
        headers[n++] = (struct bus_header){"traceparent", slice_str(trace)};
    return n;
}
