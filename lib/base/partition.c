/* partition.c - see partition.h. */
#include "base/partition.h"

#include <math.h>

/* A block's number travels as 32 bits. */
#define BLOCKS_MAX ((size_t) UINT32_MAX)

static enum cnv_status
refuse_fraction(double tau, const struct cnv_partition *partition, struct cnv_error *err)
{
    double wanted = tau * (double) partition->count;
    double below = floor(wanted) < 1 ? 1 : floor(wanted);

    return cnv_fail(err,
                    CNV_E_INPUT,
                    "encoding/fraction=%g of %zu blocks (encoding/block=%zu, %zu coordinates) is "
                    "%g: allowed are whole blocks, k/%zu, such as %.17g; or 0 for one block",
                    tau,
                    partition->count,
                    partition->block,
                    partition->length,
                    wanted,
                    partition->count,
                    below / (double) partition->count);
}

enum cnv_status cnv_partition_read(const struct cnv_config *config,
                                   size_t length,
                                   struct cnv_partition *ret_partition,
                                   struct cnv_error *err)
{
    struct cnv_partition partition = {
        .length = length,
        .agents = (size_t) cnv_config_integer(config, "run/agents"),
    };
    double tau = cnv_config_fraction(config, "encoding/fraction", partition.agents);
    uint64_t block = (uint64_t) cnv_config_integer(config, "encoding/block");

    if (block == 0) {
        block = length / partition.agents + (length % partition.agents != 0 ? 1 : 0);
    }
    partition.block = block < length ? (size_t) block : length;
    partition.count = (length - 1) / partition.block + 1;
    if (partition.count > BLOCKS_MAX) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "encoding/block=%zu cuts %zu coordinates into more than %zu blocks",
                        partition.block,
                        length,
                        BLOCKS_MAX);
    }
    double wanted = tau == 0 ? 1 : tau * (double) partition.count;
    /* Decimals of k/m are rounded: so much is let pass. */
    if (wanted < 0.5 || fabs(wanted - round(wanted)) > 1e-6 * wanted) {
        return refuse_fraction(tau, &partition, err);
    }
    partition.drawn = (size_t) round(wanted);
    partition.tau = (double) partition.drawn / (double) partition.count;
    *ret_partition = partition;
    return CNV_OK;
}

size_t cnv_partition_first(const struct cnv_partition *partition, size_t block)
{
    return block * partition->block;
}

size_t cnv_partition_len(const struct cnv_partition *partition, size_t block)
{
    size_t rest = partition->length - cnv_partition_first(partition, block);

    return rest < partition->block ? rest : partition->block;
}

/*
 * Floyd's form of the partial Fisher-Yates shuffle: the i-th draw is one of the first
 * count - drawn + i + 1 blocks, or, where that one is taken, the last of these. Every subset is
 * equally likely, and no permutation has to be kept.
 */
void cnv_partition_draw(const struct cnv_partition *partition,
                        uint64_t seed,
                        uint64_t stream,
                        uint64_t iteration,
                        uint8_t *marks,
                        uint32_t *ret_blocks)
{
    struct cnv_rng rng;
    size_t found = 0;

    cnv_rng_init(&rng, seed, CNV_RNG_BLOCKS, stream, iteration);
    for (size_t last = partition->count - partition->drawn; last < partition->count; last++) {
        size_t block = (size_t) cnv_rng_below(&rng, last + 1);

        marks[marks[block] != 0 ? last : block] = 1;
    }
    for (size_t block = 0; block < partition->count; block++) {
        if (marks[block] != 0) {
            ret_blocks[found++] = (uint32_t) block;
            marks[block] = 0;
        }
    }
}
