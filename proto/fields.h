/*
 * fields.h - the lists of schema.h as tables that a loop can walk. Inside proto/ and its tests.
 *
 * The lists stay the only place where a field is named; encoder, decoder, dump and the checks of
 * PROTOCOL.md and vectors.txt walk these rows, so that none of them knows a message by name.
 */
#ifndef CNV_PROTO_FIELDS_H
#define CNV_PROTO_FIELDS_H

#include "proto/message.h"

enum cnv_field_type {
    CNV_TYPE_U64,
    CNV_TYPE_F64,
    CNV_TYPE_BOOL,
    CNV_TYPE_STR,
    CNV_TYPE_F64S,
    CNV_TYPE_SOME, /* as F64, but it may be left out with all behind it */
};

struct cnv_field {
    const char *name;
    enum cnv_field_type type;
    size_t offset; /* in struct cnv_message */
    size_t limit;  /* bytes of a text, numbers of an array; else 0 */
    const char *meaning;
};

struct cnv_fields {
    const char *kind; /* "offer" */
    const char *sender;
    const char *payload;
    size_t count;
    const struct cnv_field *at;
};

/* The fields of a kind, in the order they travel; false: not a kind of this version. */
bool cnv_fields_find(enum cnv_kind kind, struct cnv_fields *ret_fields);

/* Any array field, whatever its limit: a uint32_t count, and its numbers this far behind it. */
struct cnv_f64s_layout {
    uint32_t count;
    double at[1];
};
enum { CNV_F64S_AT = offsetof(struct cnv_f64s_layout, at) };

#endif
