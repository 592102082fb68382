/*
 * blocks.h - payloads that carry some blocks of a vector and say which; the rest of it is zero.
 *
 *   uint32 block      coordinates of a block; the vector's last may be shorter
 *   uint32 count      blocks in this payload
 *   uint32 id[count]  ascending: block id holds coordinates [id * block, (id + 1) * block)
 *   float64 ...       the coordinates of these blocks, in this order
 *
 * The first three are the head. What comes from outside is checked with cnv_blocks_check before
 * anything else here may see it. Little-endian, at any alignment.
 */
#ifndef CNV_PROTO_ENCODINGS_BLOCKS_H
#define CNV_PROTO_ENCODINGS_BLOCKS_H

#include "encodings/encoding.h"

enum { CNV_BLOCKS_HEAD_MIN = 8 };

/* What a sender has: all of the vector, and which blocks of it may differ from zero. */
struct cnv_blocks {
    const double *values; /* [length] */
    size_t length;
    size_t block;
    const uint32_t *ids; /* [count] ascending */
    size_t count;
};

/* Bytes of the payload; 0: ids are not ascending or not all in range, or block is 0 or too large.
 */
size_t cnv_blocks_size(const struct cnv_blocks *blocks);
/* Writes that many. */
void cnv_blocks_encode(const struct cnv_blocks *blocks, uint8_t *bytes);

/* The range in which the size of any payload for a vector of length coordinates lies. */
bool cnv_blocks_may_be(size_t length, uint64_t bytes);
/* Bytes of the head, from its first CNV_BLOCKS_HEAD_MIN. */
uint64_t cnv_blocks_head_len(const uint8_t *head);
/*
 * Whether this is the head of a payload of so many bytes for a vector of length coordinates.
 * have: bytes of it that are here; the whole head must be. CNV_E_SIZE says what is wrong.
 */
CNV_MUST_CHECK enum cnv_status cnv_blocks_check(
    const uint8_t *head, size_t have, uint64_t bytes, size_t length, struct cnv_error *err);

/* Which bytes of the payload hold what there is of the coordinates [first, first + count). */
struct cnv_extent cnv_blocks_extent(const uint8_t *head, size_t length, size_t first, size_t count);

/* A walk over what there is of [first, first + count): one stretch of coordinates at a time. */
struct cnv_blocks_walk {
    const uint8_t *head;
    size_t length;
    size_t first;
    size_t end;
    size_t next;     /* position in the ids */
    size_t at;       /* the stretch: where it begins, relative to first, */
    size_t len;      /* how many coordinates it has, */
    size_t consumed; /* and how many the stretches before it had: values [consumed, + len) */
};

void cnv_blocks_begin(
    struct cnv_blocks_walk *walk, const uint8_t *head, size_t length, size_t first, size_t count);
/* The next stretch; false: there is none. */
bool cnv_blocks_next(struct cnv_blocks_walk *walk);

#endif
