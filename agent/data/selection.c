/*
 * selection.c - one seeded shuffle of the whole file, of which each shard takes its part.
 *
 * Every agent draws the same order, so that the shards are disjoint and together are the file,
 * without a word between the agents. A new order for a seed would change every model.
 */
#include "data/selection.h"

#include "base/mem.h"
#include "base/rng.h"

/* floor(part * n / parts) without overflow, for part <= parts. */
static size_t split_point(size_t n, size_t part, size_t parts)
{
    return part * (n / parts) + part * (n % parts) / parts;
}

enum cnv_status cnv_selection_make(const char *name,
                                   size_t n,
                                   const struct cnv_data_options *options,
                                   struct cnv_selection *ret_selection,
                                   struct cnv_error *err)
{
    size_t shards = options->shard == 0 ? 1 : options->shards;
    size_t shard = options->shard == 0 ? 1 : options->shard;
    size_t first = split_point(n, shard - 1, shards);
    size_t end = split_point(n, shard, shards);
    size_t *order = NULL;
    size_t *slots = NULL;

    if (options->max_rows > 0 && n > options->max_rows) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: expected at most %zu rows, found %zu",
                        name,
                        options->max_rows,
                        n);
    }
    if (n < shards) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: expected at least a row for each of %zu shards, found %zu rows",
                        name,
                        shards,
                        n);
    }
    order = cnv_array_new(n, sizeof(*order));
    slots = cnv_array_new(n, sizeof(*slots));
    if (order == NULL || slots == NULL) {
        cnv_free(order);
        cnv_free(slots);
        return cnv_fail(err, CNV_E_NOMEM, "%s: no memory for the order of %zu rows", name, n);
    }
    if (options->shuffle) {
        struct cnv_rng rng;

        cnv_rng_init(&rng, options->seed, CNV_RNG_SHUFFLE, 0, 0);
        cnv_rng_permutation(&rng, order, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            order[i] = i;
        }
    }
    for (size_t i = 0; i < n; i++) {
        slots[order[i]] = i >= first && i < end ? i - first : CNV_NOT_KEPT;
    }
    cnv_free(order);
    *ret_selection = (struct cnv_selection){ .slots = slots, .kept = end - first };
    return CNV_OK;
}
