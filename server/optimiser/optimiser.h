/*
 * optimiser.h - how the averaged update is applied to the model (server optimiser).
 *
 * To add one: copy none.c, give it a name, add it to registry.c and its keys to
 * lib/config/keys.c. apply_slice runs on worker threads, on disjoint slices.
 */
#ifndef CNV_SERVER_OPTIMISER_OPTIMISER_H
#define CNV_SERVER_OPTIMISER_OPTIMISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/status.h"

/*
 * Where more than a model travels: so many numbers lie side by side for each coordinate, of which
 * the first is the model's, or its update. Of most optimisers all three are 1.
 */
struct cnv_width {
    size_t offered; /* by members, for the exchange model */
    size_t merged;  /* what widen makes of them, which is what is averaged; >= the others */
    size_t kept;    /* committed and broadcast; a power of 2 */
};

/* One slice of the model. base and update are borrowed; out may not overlap them. */
struct cnv_apply_input {
    size_t first;
    size_t count;
    uint64_t version;       /* of base */
    uint64_t last;          /* iteration of the run of the last local step of the round */
    const double *base;     /* [count x kept] the committed model */
    const double *update;   /* [count x merged] the averaged update, relative to it */
    const double *snapshot; /* [count] the version the update was made from; NULL: base */
    size_t slot;            /* of the agent it is from, where wants_snapshot; else 0 */
};

struct cnv_table_setup {
    const struct cnv_config *config;
    size_t dimension;
    size_t slices; /* the model is cut into */
    uint64_t rows; /* of the whole run's data */
};

/* Some coordinates in a row, in one slice, that a contributor has sent. values are borrowed. */
struct cnv_table_piece {
    uint64_t row;  /* of the table, the contributor's in this round */
    double weight; /* of its agent among all of the run, whoever answered */
    size_t slice;
    size_t first; /* coordinate of the model */
    size_t count;
    const double *values; /* [count] finite */
};

/*
 * For optimisers that remember what was said before, row by row, and aggregate how it differs:
 * instead of the aggregator, the update of apply_slice is what take makes of all pieces.
 * Contributions have to come in encoding `blocks`: what was not sent is not known, rather than
 * zero; and an agent that has not answered adds nothing, and leaves nothing. See check_tables.c.
 */
struct cnv_table_ops {
    /* Called after init. CNV_E_INPUT: limits/table. */
    enum cnv_status (*reserve)(void *state,
                               const struct cnv_table_setup *setup,
                               struct cnv_error *err);
    /* Which row of the table is that of agent k of the run in the round that begins at iteration:
     * ret_rows[run/agents], all different. */
    void (*rows)(const void *state, uint64_t iteration, uint64_t *ret_rows);
    /* Before the first piece of the slice, which is coordinates [first, first + count) and of which
     * so many values have come. CNV_E_NOMEM. */
    enum cnv_status (*open_slice)(
        void *state, size_t slice, size_t first, size_t count, size_t values);
    /* Adds to update[piece->count], and to the pending state; in rank order within a slice. */
    void (*take)(void *state, const struct cnv_table_piece *piece, double *update);
};

struct cnv_optimiser_ops {
    const char *name;
    const char *text;
    const char *paper; /* NULL: none of its own */
    const char *keys;  /* settings that init reads, a space between two; NULL: none */
    size_t state_size;
    bool wants_snapshot; /* sync/mode=async, one contribution at a time; else an error in check.c */
    const struct cnv_table_ops *table; /* NULL: applies what the aggregator makes */
    /* Called when the dimension is known; per-coordinate state is allocated here. */
    enum cnv_status (*init)(void *state,
                            const struct cnv_config *config,
                            size_t dimension,
                            struct cnv_error *err);
    void (*fini)(void *state); /* NULL: nothing to let go of */
    /* How wide vectors are. NULL: one number a coordinate. Else init checks nothing of dimension: a
     * wide run takes encodings that treat each number by itself and aggregators without scoring. */
    struct cnv_width (*width)(const void *state);
    /* offered[count x offered] of one contribution becomes merged[count x merged]. Any thread. NULL
     * where width is. */
    void (*widen)(const void *state, size_t count, const double *offered, double *merged);
    /* Writes out[count x kept] and the pending state of these coordinates; keep or drop decides it.
     */
    void (*apply_slice)(void *state, const struct cnv_apply_input *input, double *out);
    /* The commit the slices were for stands (true) or was given up (false). NULL: stateless. */
    void (*conclude)(void *state, bool committed);
    size_t (*save)(const void *state, uint8_t *bytes, size_t size);
    enum cnv_status (*load)(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err);
};

const struct cnv_optimiser_ops *cnv_optimiser_find(const char *name);
const struct cnv_optimiser_ops *cnv_optimiser_at(size_t i);

#endif
