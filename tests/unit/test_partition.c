/* test_partition.c - the settings of blocks, and the draws: exact size, uniform, independent. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/partition.h"
#include "config/config.h"

static enum cnv_status read(size_t length,
                            const char *const *settings,
                            struct cnv_partition *partition,
                            struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_new();

    for (size_t i = 0; settings[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(config, settings[i], "test", err), CNV_OK, "%s", err->text);
    }
    enum cnv_status status = cnv_partition_read(config, length, partition, err);
    cnv_config_destroy(config);
    return status;
}

struct layout {
    const char *settings[4];
    size_t length;
    size_t block;
    size_t count;
    size_t drawn; /* 0: refused */
};

static const struct layout layouts[] = {
    { { "run/agents=10", NULL }, 200, 20, 10, 1 },
    { { "run/agents=10", NULL }, 123, 13, 10, 1 },
    { { "run/agents=100", NULL }, 123, 2, 62, 1 },
    { { "run/agents=7", NULL }, 3, 1, 3, 1 },
    { { "encoding/block=1000", NULL }, 3, 3, 1, 1 },
    { { "encoding/block=20", "encoding/fraction=0.3", NULL }, 200, 20, 10, 3 },
    { { "encoding/block=20", "encoding/fraction=1", NULL }, 200, 20, 10, 10 },
    { { "encoding/block=20", "encoding/fraction=1/n", "run/agents=5", NULL }, 200, 20, 10, 2 },
    { { "encoding/block=1", "encoding/fraction=0.008130081300813009", NULL }, 123, 1, 123, 1 },
    { { "encoding/block=20", "encoding/fraction=0.25", NULL }, 200, 20, 10, 0 },
    { { "encoding/block=20", "encoding/fraction=0.01", NULL }, 200, 20, 10, 0 },
    { { "encoding/block=1", "encoding/fraction=1/n", "run/agents=100", NULL }, 123, 1, 123, 0 },
};

Test(partition, settings_give_whole_blocks_or_are_refused, .timeout = 10)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const struct layout *layout = &layouts[i];
        struct cnv_partition partition = { 0 };
        struct cnv_error err = { .text = "" };
        enum cnv_status status = read(layout->length, layout->settings, &partition, &err);

        if (layout->drawn == 0) {
            cr_assert_eq(status, CNV_E_INPUT, "layout %zu was taken", i);
            cr_assert_not_null(strstr(err.text, "encoding/fraction="));
            cr_assert_not_null(strstr(err.text, "allowed are whole blocks"));
            continue;
        }
        cr_assert_eq(status, CNV_OK, "%s", err.text);
        cr_assert_eq(partition.block, layout->block, "layout %zu", i);
        cr_assert_eq(partition.count, layout->count, "layout %zu", i);
        cr_assert_eq(partition.drawn, layout->drawn, "layout %zu", i);
    }
}

Test(partition, blocks_tile_the_vector, .timeout = 10)
{
    static const char *const settings[] = { "encoding/block=20", NULL };
    struct cnv_partition partition;
    struct cnv_error err;
    size_t at = 0;

    cr_assert_eq(read(123, settings, &partition, &err), CNV_OK);
    for (size_t block = 0; block < partition.count; block++) {
        cr_assert_eq(cnv_partition_first(&partition, block), at);
        at += cnv_partition_len(&partition, block);
    }
    cr_assert_eq(at, 123);
    cr_assert_eq(cnv_partition_len(&partition, partition.count - 1), 3);
}

enum { COUNT = 10, DRAWN = 3, DRAWS = 20000 };

static const struct cnv_partition ten = { COUNT, 1, COUNT, DRAWN, 1, 0.3 };

static void draw(uint64_t seed, uint64_t stream, uint64_t iteration, uint32_t *blocks)
{
    uint8_t marks[COUNT] = { 0 };

    cnv_partition_draw(&ten, seed, stream, iteration, marks, blocks);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(marks[i], 0);
    }
    for (size_t i = 0; i < DRAWN; i++) {
        cr_assert_lt(blocks[i], COUNT);
        cr_assert(i == 0 || blocks[i] > blocks[i - 1]);
    }
}

Test(partition, every_pair_of_blocks_is_drawn_equally_often, .timeout = 10)
{
    size_t hits[COUNT][COUNT] = { 0 };
    /* tau = 3/10; a pair is in 3/10 * 2/9 of the draws. Five standard deviations are let pass. */
    double single = DRAWS * 0.3;
    double pair = DRAWS * 0.3 * 2 / 9;

    for (uint64_t i = 0; i < DRAWS; i++) {
        uint32_t blocks[DRAWN];

        draw(1, 1, i, blocks);
        for (size_t a = 0; a < DRAWN; a++) {
            for (size_t b = 0; b < DRAWN; b++) {
                hits[blocks[a]][blocks[b]]++;
            }
        }
    }
    for (size_t a = 0; a < COUNT; a++) {
        for (size_t b = 0; b < COUNT; b++) {
            double mean = a == b ? single : pair;

            cr_assert_lt(fabs((double) hits[a][b] - mean), 5 * sqrt(mean), "%zu %zu", a, b);
        }
    }
}

Test(partition, draws_repeat_for_one_agent_and_differ_between_agents, .timeout = 10)
{
    size_t same = 0;

    for (uint64_t i = 0; i < DRAWS; i++) {
        uint32_t one[DRAWN];
        uint32_t again[DRAWN];
        uint32_t other[DRAWN];

        draw(1, 1, i, one);
        draw(1, 1, i, again);
        draw(1, 2, i, other);
        cr_assert_arr_eq((const char *) one, (const char *) again, sizeof(one));
        same += memcmp(one, other, sizeof(one)) == 0 ? 1 : 0;
    }
    /* 1 of the 120 subsets, by chance. */
    cr_assert_float_eq((double) same, DRAWS / 120.0, 5 * sqrt(DRAWS / 120.0));
}
