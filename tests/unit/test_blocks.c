/* test_blocks.c - the encoding `blocks`: there and back at any cut; whatever lies is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/rng.h"
#include "encodings/blocks.h"

enum { LENGTH = 103, MOST = LENGTH * 12 + 8 };

static double values[LENGTH];
static uint8_t payload[MOST];

/* A random choice of blocks; values are zero elsewhere. */
static size_t draw(struct cnv_rng *rng, size_t block, uint32_t *ids)
{
    size_t count = 0;

    memset(values, 0, sizeof(values));
    for (size_t id = 0; id * block < LENGTH; id++) {
        if (cnv_rng_below(rng, 3) > 0) {
            continue;
        }
        ids[count++] = (uint32_t) id;
        for (size_t i = id * block; i < LENGTH && i < (id + 1) * block; i++) {
            values[i] = cnv_rng_normal(rng);
        }
    }
    return count;
}

static void check_cuts(const uint8_t *bytes, size_t size, size_t cut)
{
    size_t end = cnv_blocks_head_len(bytes);

    for (size_t first = 0; first < LENGTH; first += cut) {
        size_t count = LENGTH - first < cut ? LENGTH - first : cut;
        struct cnv_extent extent = cnv_blocks_extent(bytes, LENGTH, first, count);
        double back[LENGTH] = { 0 };
        struct cnv_blocks_walk walk;
        size_t found = 0;

        cr_assert_eq(extent.offset, end);
        end += extent.len;
        cnv_blocks_begin(&walk, bytes, LENGTH, first, count);
        while (cnv_blocks_next(&walk)) {
            cr_assert_eq(walk.consumed, found);
            memcpy(back + walk.at, bytes + extent.offset + 8 * walk.consumed, 8 * walk.len);
            found += walk.len;
        }
        cr_assert_not(cnv_blocks_next(&walk));
        cr_assert_eq(8 * found, extent.len);
        cr_assert_arr_eq((const char *) back, (const char *) (values + first), 8 * count);
    }
    cr_assert_eq(end, size);
}

Test(blocks, come_back_at_any_cut_and_alignment, .timeout = 20)
{
    struct cnv_rng rng;
    uint32_t ids[LENGTH];

    cnv_rng_init(&rng, 3, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t block = 1; block < 2 * LENGTH; block += 1 + block / 3) {
        for (size_t shift = 0; shift < 8; shift++) {
            struct cnv_blocks blocks = { values, LENGTH, block, ids, draw(&rng, block, ids) };
            size_t size = cnv_blocks_size(&blocks);

            cr_assert_leq(size + shift, MOST);
            cnv_blocks_encode(&blocks, payload + shift);
            cr_assert(cnv_blocks_may_be(LENGTH, size));
            cr_assert_eq(cnv_blocks_check(payload + shift, size, size, LENGTH, NULL), CNV_OK);
            check_cuts(payload + shift, size, 1);
            check_cuts(payload + shift, size, 7);
            check_cuts(payload + shift, size, 50);
            check_cuts(payload + shift, size, LENGTH);
        }
    }
}

Test(blocks, a_sender_with_impossible_blocks_is_told_so, .timeout = 10)
{
    static const uint32_t twice[] = { 1, 1 };
    static const uint32_t down[] = { 2, 1 };
    static const uint32_t far[] = { 0, 11 };
    const struct cnv_blocks wrong[] = {
        { values, LENGTH, 10, twice, 2 },
        { values, LENGTH, 10, down, 2 },
        { values, LENGTH, 10, far, 2 },
        { values, LENGTH, 0, far, 1 },
        { values, LENGTH, (size_t) UINT32_MAX + 1, far, 1 },
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert_eq(cnv_blocks_size(&wrong[i]), 0, "%zu", i);
    }
}

static void put(size_t at, uint32_t word)
{
    memcpy(payload + at, &word, sizeof(word));
}

/* Blocks 1 and 10 of 10 coordinates each: 13 values. */
static size_t make_two(void)
{
    static const uint32_t ids[] = { 1, 10 };
    struct cnv_blocks blocks = { values, LENGTH, 10, ids, 2 };

    cnv_blocks_encode(&blocks, payload);
    return cnv_blocks_size(&blocks);
}

Test(blocks, a_head_that_lies_is_refused, .timeout = 10)
{
    static const struct {
        size_t at;
        uint32_t word;
    } lies[] = {
        { 0, 0 },  { 0, 9 },          { 0, 11 },          { 0, UINT32_MAX }, { 4, 0 },  { 4, 1 },
        { 4, 3 },  { 4, UINT32_MAX }, { 8, 10 },          { 8, 11 },         { 12, 1 }, { 12, 0 },
        { 12, 9 }, { 12, 11 },        { 12, UINT32_MAX }, { 8, 0x80000000 },
    };
    size_t size = make_two();

    cr_assert_eq(size, 8 + 8 + 13 * 8);
    cr_assert_eq(cnv_blocks_check(payload, size, size, LENGTH, NULL), CNV_OK);
    cr_assert_eq(cnv_blocks_check(payload, 16, size, LENGTH, NULL), CNV_OK); /* the head will do */
    for (size_t have = 0; have < 16; have++) {
        cr_assert_eq(cnv_blocks_check(payload, have, size, LENGTH, NULL), CNV_E_SIZE);
    }
    cr_assert_eq(cnv_blocks_check(payload, size, size - 8, LENGTH, NULL), CNV_E_SIZE);
    cr_assert_eq(cnv_blocks_check(payload, size, size + 8, LENGTH, NULL), CNV_E_SIZE);
    cr_assert_eq(cnv_blocks_check(payload, size, size, LENGTH + 1, NULL), CNV_E_SIZE);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        (void) make_two();
        put(lies[i].at, lies[i].word);
        cr_assert_eq(cnv_blocks_check(payload, size, size, LENGTH, NULL), CNV_E_SIZE, "lie %zu", i);
    }
}

Test(blocks, no_noise_is_taken_for_a_head_that_reaches_outside, .timeout = 20)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, 4, CNV_RNG_SYNTHETIC, 0, 0);
    for (int i = 0; i < 200000; i++) {
        size_t size = 8 + (size_t) cnv_rng_below(&rng, 60);

        for (size_t at = 0; at + 4 <= size; at += 4) {
            put(at, (uint32_t) cnv_rng_below(&rng, 12));
        }
        if (cnv_blocks_check(payload, size, size, LENGTH, NULL) != CNV_OK) {
            continue;
        }
        struct cnv_extent extent = cnv_blocks_extent(payload, LENGTH, 0, LENGTH);
        cr_assert_eq(extent.offset + extent.len, size);
    }
}
