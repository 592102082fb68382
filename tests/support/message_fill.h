/*
 * message_fill.h - a message of every kind, filled with zeros, the largest, or the oddest values.
 *
 * Made from the lists of schema.h by its own macros and not from the codec's tables, so that a test
 * compares two readings of the lists.
 */
#ifndef CNV_TESTS_SUPPORT_MESSAGE_FILL_H
#define CNV_TESTS_SUPPORT_MESSAGE_FILL_H

#include <math.h>
#include <string.h>

#include "proto/message.h"

enum fill { FILL_ZERO, FILL_LARGE, FILL_ODD, FILL_COUNT };

static inline void fill_text(char *text, size_t limit, enum fill fill)
{
    /* One, two, three and four bytes a character. */
    static const char odd[] = " \"\\\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80~";

    memset(text, 0, limit + 1);
    if (fill == FILL_LARGE) {
        memset(text, 'x', limit);
    } else if (fill == FILL_ODD) {
        memcpy(text, odd, sizeof(odd) - 1 < limit ? sizeof(odd) - 1 : 1);
    }
}

static inline double fill_number(size_t i, enum fill fill)
{
    const double odd[] = {
        -0.0, 5e-324, -1.7976931348623157e308, INFINITY, -INFINITY, 1.0 / 3, NAN
    };

    return fill == FILL_ZERO ? 0.0 : fill == FILL_LARGE ? 1e300 : odd[i % 7];
}

#define FILL_U64(field, limit)                                                                     \
    self->field = fill == FILL_ZERO ? 0 : fill == FILL_LARGE ? UINT64_MAX : (1ULL << 63) + 1;
#define FILL_F64(field, limit)  self->field = fill_number(sizeof(#field), fill);
#define FILL_SOME(field, limit) FILL_F64(field, limit)
#define FILL_BOOL(field, limit) self->field = fill != FILL_ZERO;
#define FILL_STR(field, limit)  fill_text(self->field, limit, fill);
#define FILL_F64S(field, limit)                                                                    \
    self->field.count = fill == FILL_ZERO ? 0 : fill == FILL_LARGE ? (limit) : 7;                  \
    for (uint32_t i = 0; i < self->field.count; i++) {                                             \
        self->field.at[i] = fill_number(i, fill);                                                  \
    }
#define FILL_FIELD(type, field, limit, meaning) FILL_##type(field, limit)

#define FILL_CASE(symbol, number, name, sender, payload)                                           \
    case CNV_KIND_##symbol: {                                                                      \
        struct cnv_msg_##name *self = &message->name;                                              \
        CNV_##symbol##_FIELDS(FILL_FIELD) break;                                                   \
    }

static inline void message_fill(struct cnv_message *message, enum cnv_kind kind, enum fill fill)
{
    memset(message, 0, sizeof(*message));
    message->version = CNV_PROTOCOL_VERSION;
    message->kind = kind;
    switch (kind) {
        CNV_MESSAGE_LIST(FILL_CASE)
    case CNV_KIND_NONE:
    default:
        break;
    }
}

/* Bits, so that -0.0 and NaN count. */
static inline bool same_bits(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

#define EQUAL_U64(field)  same = same && a->field == b->field;
#define EQUAL_F64(field)  same = same && same_bits(&a->field, &b->field, sizeof(a->field));
#define EQUAL_SOME(field) EQUAL_F64(field)
#define EQUAL_BOOL(field) same = same && a->field == b->field;
#define EQUAL_STR(field)  same = same && strcmp(a->field, b->field) == 0;
#define EQUAL_F64S(field)                                                                          \
    same = same && a->field.count == b->field.count &&                                             \
           same_bits(a->field.at, b->field.at, a->field.count * sizeof(double));
#define EQUAL_FIELD(type, field, limit, meaning) EQUAL_##type(field)

#define EQUAL_CASE(symbol, number, name, sender, payload)                                          \
    case CNV_KIND_##symbol: {                                                                      \
        const struct cnv_msg_##name *a = &left->name;                                              \
        const struct cnv_msg_##name *b = &right->name;                                             \
        CNV_##symbol##_FIELDS(EQUAL_FIELD) break;                                                  \
    }

static inline bool message_equal(const struct cnv_message *left, const struct cnv_message *right)
{
    bool same = left->version == right->version && left->kind == right->kind;

    if (!same) {
        return false;
    }
    switch (left->kind) {
        CNV_MESSAGE_LIST(EQUAL_CASE)
    case CNV_KIND_NONE:
    default:
        break;
    }
    return same;
}

#endif
