/*
 * partition.h - how a vector is cut into blocks (encoding/block), and how many of them a
 * contribution carries (encoding/fraction, tau).
 *
 * Who draws blocks, who checks that the settings fit the model, and who has the step size depend on
 * tau read the same settings here. Source: Mishchenko et al. 2020, "99% of worker-master
 * communication in distributed optimization is not needed".
 */
#ifndef CNV_BASE_PARTITION_H
#define CNV_BASE_PARTITION_H

#include "base/param.h"
#include "base/rng.h"
#include "base/status.h"

/* Settings that cnv_partition_read reads. */
#define CNV_PARTITION_KEYS "encoding/block encoding/fraction run/agents"

struct cnv_partition {
    size_t length; /* coordinates of the vector */
    size_t block;  /* of a block; the last may be shorter */
    size_t count;  /* m: blocks there are */
    size_t drawn;  /* tau m: blocks a contribution carries, >= 1 */
    size_t agents; /* n */
    double tau;    /* drawn / count: the fraction as it is, not as it was asked for */
};

/*
 * Reads encoding/block (0: the model is cut into as many blocks as there are agents),
 * encoding/fraction (1/n: one over the agents; 0: one block) and run/agents for a model of length
 * >= 1 coordinates. CNV_E_INPUT: tau m is not a whole number >= 1, or there are too many blocks.
 */
CNV_MUST_CHECK enum cnv_status cnv_partition_read(const struct cnv_config *config,
                                                  size_t length,
                                                  struct cnv_partition *ret_partition,
                                                  struct cnv_error *err);

/* First coordinate of a block, and how many it has. */
size_t cnv_partition_first(const struct cnv_partition *partition, size_t block);
size_t cnv_partition_len(const struct cnv_partition *partition, size_t block);

/*
 * Draws exactly `drawn` of the blocks, uniformly and without replacement, ascending, into
 * ret_blocks[drawn]: the draw of one agent in one iteration.
 *
 *   stream  what tells this agent from all others, below 2^32: two agents with the same stream
 *           would always draw the same blocks
 *   marks   [count] scratch; zero before and after
 */
void cnv_partition_draw(const struct cnv_partition *partition,
                        uint64_t seed,
                        uint64_t stream,
                        uint64_t iteration,
                        uint8_t *marks,
                        uint32_t *ret_blocks);

#endif
