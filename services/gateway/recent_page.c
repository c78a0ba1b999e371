/* Files of pages/, built into the program: they need nothing from elsewhere, and nothing is read while serving. */
#include "recent.h"
#include "routes.h"

#define FILE_IN(name, path)                                                                        \
    __asm__(".section .rodata\n" #name "_begin: .incbin \"" path "\"\n" #name                      \
            "_end: .byte 0\n.previous\n");                                                         \
    extern const char name##_begin[], name##_end[];

FILE_IN(page_events_html, "services/gateway/pages/events.html")
FILE_IN(page_events_css, "services/gateway/pages/events.css")
FILE_IN(page_events_js, "services/gateway/pages/events.js")

#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct page {
    const char *path, *type, *begin, *end;
} pages[] = {
    {"/events", "text/html; charset=utf-8", page_events_html_begin, page_events_html_end},
    {"/events.css", "text/css; charset=utf-8", page_events_css_begin, page_events_css_end},
    {"/events.js", "text/javascript; charset=utf-8", page_events_js_begin, page_events_js_end},
};

void recent_page(struct exchange *exchange)
{
    const struct page *page = pages;
    while (strcmp(page->path, exchange->route->pattern) != 0)
        page++;
    http_response_header(exchange->request, "Content-Security-Policy", POLICY);
    http_response_header(exchange->request, "Referrer-Policy", "no-referrer");
    exchange_answer_as(exchange, 200, page->type,
                       slice_make(page->begin, (size_t)(page->end - page->begin)));
}
