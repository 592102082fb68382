/* message.h - the messages as C structs, and their codec. Pure: bytes in, structs out. */
#ifndef CNV_PROTO_MESSAGE_H
#define CNV_PROTO_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/schema.h"

enum {
    CNV_PROTOCOL_VERSION = 1,
    CNV_PROTOCOL_OLDEST = 1,
    CNV_HEADER_MAX = 4096,  /* bytes of a header frame */
    CNV_INLINE_MAX = 65536, /* payloads up to this ride with their offer, settled or commit */
};

/* The two channels between an agent and the server. They have no mutual order. */
enum cnv_channel { CNV_DATA, CNV_BULK };

enum cnv_kind {
    CNV_KIND_NONE = 0,
#define CNV_KIND_ENUM(symbol, number, name, sender, payload) CNV_KIND_##symbol = (number),
    CNV_MESSAGE_LIST(CNV_KIND_ENUM)
#undef CNV_KIND_ENUM
};

#define CNV_FIELD_U64(name, limit)  uint64_t name;
#define CNV_FIELD_F64(name, limit)  double name;
#define CNV_FIELD_SOME(name, limit) double name;
#define CNV_FIELD_BOOL(name, limit) bool name;
#define CNV_FIELD_STR(name, limit)  char name[(limit) + 1];
#define CNV_FIELD_F64S(name, limit)                                                                \
    struct {                                                                                       \
        uint32_t count;                                                                            \
        double at[limit];                                                                          \
    } name; /* NOLINT(bugprone-macro-parentheses) */
#define CNV_FIELD(type, name, limit, meaning) CNV_FIELD_##type(name, limit)

#define CNV_MESSAGE_STRUCT(symbol, number, name, sender, payload)                                  \
    struct cnv_msg_##name {                                                                        \
        CNV_##symbol##_FIELDS(CNV_FIELD)                                                           \
    };
CNV_MESSAGE_LIST(CNV_MESSAGE_STRUCT)
#undef CNV_MESSAGE_STRUCT

/* One decoded header. Strings are NUL-terminated, arrays carry their count; nothing to free. */
struct cnv_message {
    uint32_t version;
    enum cnv_kind kind;
    union {
#define CNV_MESSAGE_MEMBER(symbol, number, name, sender, payload) struct cnv_msg_##name name;
        CNV_MESSAGE_LIST(CNV_MESSAGE_MEMBER)
#undef CNV_MESSAGE_MEMBER
    };
};

/*
 * Writes the header frame; version 0 is written as CNV_PROTOCOL_VERSION. Returns its length, at
 * most CNV_HEADER_MAX; 0 for an unknown kind, or when size is too small (never with CNV_HEADER_MAX
 * bytes). Bytes of a text that are not one line of UTF-8 (a character cut in two) go as '?'.
 */
size_t cnv_message_encode(const struct cnv_message *message, uint8_t *bytes, size_t size);

/*
 * Scans, then reads a header frame. Unknown fields behind the known ones are skipped.
 *
 * CNV_E_MALFORMED: not such a frame (too long, too deep, wrong type, text too long or not one line
 * of UTF-8, bytes left).
 * CNV_E_KIND: a kind this version does not know; ret_message->version and kind are set.
 * CNV_E_VERSION: outside CNV_PROTOCOL_OLDEST..CNV_PROTOCOL_VERSION; ret_message->version and kind
 * are set. Never for hello and error, which are alike in all versions: whether a hello's range
 * suits is asked with cnv_version_agree.
 * CNV_E_NOMEM: no memory for a few times len. Outputs are untouched in all other failures.
 */
CNV_MUST_CHECK enum cnv_status cnv_message_decode(const uint8_t *bytes,
                                                  size_t len,
                                                  struct cnv_message *ret_message,
                                                  struct cnv_error *err);

/* The newest version that we and a hello of this range speak; 0: none. */
uint32_t cnv_version_agree(uint64_t version_min, uint64_t version_max);

/*
 * The check before msgpack-c sees a header: one whole object, depth <= 4, no count larger than
 * the bytes left, at most CNV_HEADER_MAX bytes, nothing behind it.
 */
CNV_MUST_CHECK enum cnv_status
cnv_header_scan(const uint8_t *bytes, size_t len, struct cnv_error *err);

/* "offer", or "unknown". */
const char *cnv_kind_name(enum cnv_kind kind);

/* One line for logs and test failures: "offer round=3 attempt=1 ...". Returns text. */
const char *cnv_message_dump(const struct cnv_message *message, char *text, size_t size);

#endif
