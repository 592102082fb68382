/*
 * encoding.h - how a vector travels: payload bytes <-> float64 coordinates.
 *
 * To add one: copy dense_f32.c, add it to registry.c and to PROTOCOL.md, section "Encodings".
 * Pure functions without state; payloads are little-endian and may lie at any alignment.
 */
#ifndef CNV_PROTO_ENCODINGS_ENCODING_H
#define CNV_PROTO_ENCODINGS_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Which payload bytes hold a range of coordinates. */
struct cnv_extent {
    size_t offset;
    size_t len;
};

/* Names the random numbers of one contribution: the same again when it is made again. */
struct cnv_rounding {
    uint64_t seed;   /* of the run */
    uint64_t stream; /* what tells this agent from all others, below 2^32 */
    uint64_t contribution;
};

struct cnv_encoding_ops {
    const char *name; /* as in messages and in encoding/up, encoding/down: "f64" */
    const char *text;
    const char *paper; /* NULL: none of its own */
    const char *keys;  /* settings it goes by, a space between two; NULL: none */
    bool is_relative;  /* payload is a factor of a settled result: decode needs the reference */
    bool is_sparse;    /* payload says what is in it: size and place of everything depend on its
                        * head, see blocks.h. Of the functions below it has none. Up only. */
    bool is_up_only;   /* too coarse for what is settled or committed */
    /* Bytes of the payload for a vector of length coordinates. */
    size_t (*size)(size_t length);
    /* Which bytes decode needs for coordinates [first, first + count) of a vector of length. */
    struct cnv_extent (*extent)(size_t length, size_t first, size_t count);
    /* Writes the bytes of extent(length, first, count); values has count coordinates (relative
     * encodings: values[0] is the factor). */
    void (*encode)(const double *values, size_t count, uint8_t *bytes);
    /* In place of encode, for the way up only: rounds at random, without bias. The whole vector, or
     * the rest of it from a multiple of 512 on. NULL: encode. */
    void (*encode_random)(const double *values,
                          size_t count,
                          const struct cnv_rounding *rounding,
                          uint8_t *bytes);
    /*
     * Reads those bytes back into out[count]. reference: the same coordinates of the settled
     * result, for relative encodings; else NULL. Cannot fail: every byte pattern is a number,
     * and whether it is finite is the caller's question.
     */
    void (*decode)(const uint8_t *bytes, size_t count, const double *reference, double *out);
};

/* Whether results may travel so: all that is needed to decode is the payload and its length. */
bool cnv_encoding_is_dense(const struct cnv_encoding_ops *encoding);

/* NULL: no encoding of that name. */
const struct cnv_encoding_ops *cnv_encoding_find(const char *name);
/* NULL past the last. */
const struct cnv_encoding_ops *cnv_encoding_at(size_t i);

#endif
