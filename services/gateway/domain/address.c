#include "address.h"

#include <arpa/inet.h>

#define MAX_TEXT 64

/* Without a port and brackets; a single colon separates a port, several are IPv6. */
static struct slice host_of(struct slice text)
{
    if (!text.size)
        return text;
    const uint8_t *bracket = memchr(text.data, ']', text.size);
    if (text.data[0] == '[' && bracket)
        return slice_make(text.data + 1, (size_t)(bracket - text.data) - 1);
    const uint8_t *colon = memchr(text.data, ':', text.size);
    if (!colon || memchr(colon + 1, ':', text.size - (size_t)(colon - text.data) - 1))
        return text;
    return slice_make(text.data, (size_t)(colon - text.data));
}

int gw_address_parse(uint8_t out[16], struct slice text)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char copy[MAX_TEXT];
    uint8_t address[16];
    struct slice host = host_of(text);
    if (!host.size || host.size >= sizeof(copy))
        return ERR_INVALID;
    memcpy(copy, host.data, host.size);
    copy[host.size] = 0;
    if (inet_pton(AF_INET, copy, address + 12) == 1)
        memcpy(address, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, copy, address) != 1)
        return ERR_INVALID;
    memcpy(out, address, sizeof(address));
    return 0;
}

static struct slice trim(const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return slice_make(begin, (size_t)(end - begin));
}

struct slice gw_address_forwarded(const char *const *lines, unsigned n_lines, unsigned hops,
                                  const char *peer)
{
    struct slice found = slice_str(peer);
    uint8_t address[16];
    for (unsigned line = n_lines; line > 0 && hops > 0; line--) {
        const char *begin = lines[line - 1], *end = begin + strlen(begin);
        for (; hops > 0; hops--) {
            const char *comma = memrchr(begin, ',', (size_t)(end - begin));
            struct slice entry = trim(comma ? comma + 1 : begin, end);
            if (gw_address_parse(address, entry) < 0)
                return found;
            found = host_of(entry);
            if (!comma) {
                hops--;
                break;
            }
            end = comma;
        }
    }
    return found;
}

void gw_address_owner(uint8_t out[16], const uint8_t address[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool v4 = memcmp(address, mapped, sizeof(mapped)) == 0;
    memcpy(out, address, 16);
    if (!v4)
        memset(out + 8, 0, 8);
}
