/*
 * blocks.c - see blocks.h.
 *
 * Where the values of a block lie follows from its position among the ids alone, since only the
 * vector's last block may be shorter, and that comes last.
 */
#include "encodings/blocks.h"

#include <string.h>

#include "registry.h"

static uint32_t word(const uint8_t *bytes)
{
    uint32_t value = 0;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static size_t head_block(const uint8_t *head)
{
    return word(head);
}

static size_t head_count(const uint8_t *head)
{
    return word(head + 4);
}

static size_t head_id(const uint8_t *head, size_t i)
{
    return word(head + CNV_BLOCKS_HEAD_MIN + 4 * i);
}

uint64_t cnv_blocks_head_len(const uint8_t *head)
{
    return CNV_BLOCKS_HEAD_MIN + 4 * (uint64_t) head_count(head);
}

/* Coordinates in count blocks of which `last` is the last. */
static uint64_t value_count(size_t length, size_t block, size_t count, size_t last)
{
    uint64_t whole = (uint64_t) count * block;
    uint64_t end = ((uint64_t) last + 1) * block;

    return count == 0 ? 0 : whole - (end > length ? end - length : 0);
}

/* --- Sending ------------------------------------------------------------------------------ */

size_t cnv_blocks_size(const struct cnv_blocks *blocks)
{
    size_t count = blocks->count;

    if (blocks->block == 0 || blocks->block > UINT32_MAX || count > UINT32_MAX) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t) blocks->ids[i] * blocks->block >= blocks->length ||
            (i > 0 && blocks->ids[i] <= blocks->ids[i - 1])) {
            return 0;
        }
    }
    size_t last = count == 0 ? 0 : blocks->ids[count - 1];
    return CNV_BLOCKS_HEAD_MIN + 4 * count +
           sizeof(double) * (size_t) value_count(blocks->length, blocks->block, count, last);
}

void cnv_blocks_encode(const struct cnv_blocks *blocks, uint8_t *bytes)
{
    uint32_t block = (uint32_t) blocks->block;
    uint32_t count = (uint32_t) blocks->count;

    memcpy(bytes, &block, sizeof(block));
    memcpy(bytes + 4, &count, sizeof(count));
    bytes += CNV_BLOCKS_HEAD_MIN;
    if (count > 0) {
        memcpy(bytes, blocks->ids, 4 * blocks->count);
    }
    bytes += 4 * blocks->count;
    for (size_t i = 0; i < blocks->count; i++) {
        size_t first = blocks->ids[i] * blocks->block;
        size_t rest = blocks->length - first;
        size_t len = rest < blocks->block ? rest : blocks->block;

        memcpy(bytes, blocks->values + first, len * sizeof(double));
        bytes += len * sizeof(double);
    }
}

/* --- Receiving ---------------------------------------------------------------------------- */

bool cnv_blocks_may_be(size_t length, uint64_t bytes)
{
    /* At most: each coordinate a block of its own. */
    return bytes >= CNV_BLOCKS_HEAD_MIN && (bytes - CNV_BLOCKS_HEAD_MIN) / 12 <= length;
}

enum cnv_status cnv_blocks_check(
    const uint8_t *head, size_t have, uint64_t bytes, size_t length, struct cnv_error *err)
{
    if (have < CNV_BLOCKS_HEAD_MIN || have < cnv_blocks_head_len(head)) {
        return cnv_fail(
            err, CNV_E_SIZE, "the ids of the blocks are not in the first %zu bytes", have);
    }
    size_t block = head_block(head);
    size_t count = head_count(head);
    if (block == 0) {
        return cnv_fail(err, CNV_E_SIZE, "blocks of 0 coordinates");
    }
    for (size_t i = 0; i < count; i++) {
        size_t id = head_id(head, i);

        if (i > 0 && id <= head_id(head, i - 1)) {
            return cnv_fail(
                err, CNV_E_SIZE, "block %zu behind block %zu", id, head_id(head, i - 1));
        }
        if ((uint64_t) id * block >= length) {
            return cnv_fail(err,
                            CNV_E_SIZE,
                            "block %zu of %zu coordinates in a vector of %zu",
                            id,
                            block,
                            length);
        }
    }
    size_t last = count == 0 ? 0 : head_id(head, count - 1);
    uint64_t values = value_count(length, block, count, last);
    if (bytes != cnv_blocks_head_len(head) + sizeof(double) * values) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "%llu bytes for %zu blocks with %llu coordinates",
                        (unsigned long long) bytes,
                        count,
                        (unsigned long long) values);
    }
    return CNV_OK;
}

/* Position of the first id that is at least `id`. */
static size_t find_id(const uint8_t *head, size_t id)
{
    size_t low = 0;
    size_t high = head_count(head);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (head_id(head, middle) < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many of the coordinates below `end` are in the payload. */
static size_t count_below(const uint8_t *head, size_t length, size_t end)
{
    size_t block = head_block(head);
    size_t at = find_id(head, end / block);
    size_t before = at == 0 ? 0 : (size_t) value_count(length, block, at, head_id(head, at - 1));

    if (at < head_count(head) && head_id(head, at) == end / block) {
        before += end % block;
    }
    return before;
}

struct cnv_extent cnv_blocks_extent(const uint8_t *head, size_t length, size_t first, size_t count)
{
    size_t below = count_below(head, length, first);
    size_t values = count_below(head, length, first + count) - below;

    return (struct cnv_extent){
        .offset = (size_t) cnv_blocks_head_len(head) + below * sizeof(double),
        .len = values * sizeof(double),
    };
}

void cnv_blocks_begin(
    struct cnv_blocks_walk *walk, const uint8_t *head, size_t length, size_t first, size_t count)
{
    *walk = (struct cnv_blocks_walk){
        .head = head,
        .length = length,
        .first = first,
        .end = first + count,
        .next = find_id(head, first / head_block(head)),
    };
}

bool cnv_blocks_next(struct cnv_blocks_walk *walk)
{
    size_t block = head_block(walk->head);

    walk->consumed += walk->len;
    walk->len = 0;
    if (walk->next >= head_count(walk->head)) {
        return false;
    }
    size_t from = head_id(walk->head, walk->next) * block;
    size_t to = walk->length - from < block ? walk->length : from + block;
    if (from >= walk->end) {
        return false;
    }
    from = from < walk->first ? walk->first : from;
    to = to < walk->end ? to : walk->end;
    walk->at = from - walk->first;
    walk->len = to - from;
    walk->next++;
    return true;
}

const struct cnv_encoding_ops cnv_blocks = {
    .name = "blocks",
    .text = "some blocks of the vector as float64, with their numbers; the rest is zero",
    .paper = "Mishchenko et al. 2020 (arXiv 1901.09437)",
    .keys = "encoding/block encoding/fraction",
    .is_sparse = true,
};
