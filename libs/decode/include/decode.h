#pragma once
/*
 * decode: any message of the topic table as JSON, by its protobuf-c descriptor.
 *
 * Names as in the .proto. Bytes: 16 of an id as a uuid, others as hex. Times *_us also as ISO text under the name without
 * _us. Strings that hold JSON (properties, context, ...) become that JSON, on one line; an empty one becomes {}.
 * Members of a oneof and messages appear only when they are set.
 */
#include "base.h"
#include "json.h"
#include <protobuf-c/protobuf-c.h>

/* By the name in the topic table ("Touchpoint"); NULL: unknown. */
const ProtobufCMessageDescriptor *decode_type(const char *message_type);
/* Writes the members of message into the object that w is in. */
void decode_members(const ProtobufCMessage *message, struct json_writer *w, struct arena *arena);
/* The message's own tenant_id; data NULL: it has none. */
struct slice decode_tenant(const ProtobufCMessage *message);
