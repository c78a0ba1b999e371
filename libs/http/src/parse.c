/* The head of a request. */
#include "parse.h"
#include <strings.h>

size_t http_head_size(struct slice in, size_t *scanned)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    const uint8_t *end = memmem(in.data + from, in.size - from, "\r\n\r\n", 4);
    *scanned = in.size;
    return end ? (size_t)(end - in.data) + 4 : 0;
}

/* RFC 9110, 5.6.2 */
static bool is_token(uint8_t c)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
           (c && memchr(marks, c, sizeof(marks) - 1));
}

static int parse_method(struct http_head *head, const char *text, size_t size)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET},        {"POST", HTTP_POST}, {"PUT", HTTP_PUT},
                   {"DELETE", HTTP_DELETE},  {"HEAD", HTTP_HEAD}, {"PATCH", HTTP_PATCH},
                   {"OPTIONS", HTTP_OPTIONS}};
    for (size_t i = 0; i < size; i++) {
        if (!is_token((uint8_t)text[i]))
            return 400;
    }
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (slice_equal_str(slice_make(text, size), methods[i].name)) {
            head->method = methods[i].method;
            return 0;
        }
    }
    return size ? 501 : 400;
}

/* origin-form, absolute-form (its authority is skipped) or the asterisk of OPTIONS */
static int parse_target(struct http_head *head, char *target, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((uint8_t)target[i] <= ' ' || target[i] == 0x7f)
            return 400;
    }
    if (size > 7 && strncasecmp(target, "http://", 7) == 0) {
        char *path = memchr(target + 7, '/', size - 7);
        if (!path) {
            path = target;
            *path = '/';
            size = 1;
        } else {
            size -= (size_t)(path - target);
        }
        target = path;
    }
    if (size == 0 || (target[0] != '/' && !(size == 1 && target[0] == '*')))
        return 400;
    const char *question = memchr(target, '?', size);
    size_t path_size = question ? (size_t)(question - target) : size;
    head->path = slice_make(target, path_size);
    head->query = question ? slice_make(question + 1, size - path_size - 1) : slice_make("", 0);
    return 0;
}

static int parse_request_line(struct http_head *head, char *line, size_t size)
{
    char *space = memchr(line, ' ', size);
    if (!space)
        return 400;
    int status = parse_method(head, line, (size_t)(space - line));
    if (status == 400)
        return status;
    char *target = space + 1, *end = line + size;
    char *version = memchr(target, ' ', (size_t)(end - target));
    if (!version || end - version != 9 || memcmp(version, " HTTP/", 6) != 0 || version[7] != '.')
        return 400;
    if (version[6] != '1' || version[8] < '0' || version[8] > '9')
        return version[6] >= '0' && version[6] <= '9' ? 505 : 400;
    head->minor = version[8] == '0' ? 0 : 1;
    int bad = parse_target(head, target, (size_t)(version - target));
    return bad ? bad : status;
}

static int parse_header(struct http_head *head, char *line, size_t size)
{
    size_t name = 0;
    while (name < size && is_token((uint8_t)line[name]))
        name++;
    if (name == 0 || name == size || line[name] != ':')
        return 400;
    if (head->n_headers == HTTP_MAX_HEADERS)
        return 431;
    char *value = line + name + 1, *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *c = value; c < end; c++) {
        if (((uint8_t)*c < ' ' && *c != '\t') || *c == 0x7f)
            return 400;
    }
    line[name] = 0;
    *end = 0;
    head->headers[head->n_headers++] = (struct http_header){line, value};
    return 0;
}

static int parse_length(struct http_head *head, const char *value, bool again)
{
    uint64_t length = 0;
    if (!*value)
        return 400;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return 400;
        if (length > (UINT64_MAX >> 1) / 10)
            return 413;
        length = length * 10 + (uint64_t)(*value - '0');
    }
    if (again && length != head->length)
        return 400;
    head->length = length;
    return 0;
}

/* "close" or "keep-alive" among the comma-separated options of Connection */
static bool has_option(const char *value, const char *option)
{
    size_t size = strlen(option);
    while (*value) {
        value += strspn(value, " \t,");
        size_t n = strcspn(value, " \t,");
        if (n == size && strncasecmp(value, option, size) == 0)
            return true;
        value += n;
    }
    return false;
}

/* What the headers say of the message itself. */
static int parse_framing(struct http_head *head)
{
    unsigned hosts = 0, lengths = 0;
    head->keep_alive = head->minor >= 1;
    for (unsigned i = 0; i < head->n_headers; i++) {
        const char *name = head->headers[i].name, *value = head->headers[i].value;
        if (strcasecmp(name, "host") == 0) {
            hosts++;
        } else if (strcasecmp(name, "content-length") == 0) {
            int status = parse_length(head, value, lengths++ > 0);
            if (status)
                return status;
        } else if (strcasecmp(name, "transfer-encoding") == 0) {
            if (strcasecmp(value, "chunked") != 0)
                return 501;
            if (head->chunked || head->minor == 0)
                return 400;
            head->chunked = true;
        } else if (strcasecmp(name, "connection") == 0) {
            if (has_option(value, "close"))
                head->keep_alive = false;
            else if (has_option(value, "keep-alive"))
                head->keep_alive = true;
        } else if (strcasecmp(name, "expect") == 0) {
            head->expect_continue = head->minor >= 1 && strcasecmp(value, "100-continue") == 0;
        }
    }
    if (head->chunked && lengths)
        return 400;
    return hosts > 1 || (hosts == 0 && head->minor >= 1) ? 400 : 0;
}

int http_head_parse(struct http_head *head, char *text, size_t size)
{
    *head = (struct http_head){0};
    int unknown_method = 0;
    bool first = true;
    for (char *line = text, *end = text + size; line < end;) {
        char *cr = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!cr)
            return 400;
        if (cr == line)
            break;
        int status = first ? parse_request_line(head, line, (size_t)(cr - line))
                           : parse_header(head, line, (size_t)(cr - line));
        if (status == 501)
            unknown_method = status;
        else if (status)
            return status;
        first = false;
        line = cr + 2;
    }
    if (first)
        return 400;
    int status = parse_framing(head);
    return status ? status : unknown_method;
}

const char *http_head_get(const struct http_head *head, const char *name)
{
    for (unsigned i = 0; i < head->n_headers; i++) {
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    }
    return NULL;
}
