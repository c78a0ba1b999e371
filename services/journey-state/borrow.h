#pragma once
/* protobuf-c has no const members; a message that is only encoded borrows what it points to. */
#include "base.h"

#include <protobuf-c/protobuf-c.h>

static inline char *borrow_text(const char *text)
{
    union {
        const char *in;
        char *out;
    } both = {.in = text ? text : ""};
    return both.out;
}

/* 16 bytes, or none when id is NULL */
static inline ProtobufCBinaryData borrow_id(const uint8_t *id)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } both = {.in = id};
    return (ProtobufCBinaryData){id ? 16 : 0, both.out};
}
