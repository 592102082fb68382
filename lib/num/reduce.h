/*
 * reduce.h - sums over the rows of a shard whose bits do not depend on the number of threads.
 *
 * The rows are cut into fixed blocks; each block is summed by itself from zero, on any lane of
 * the team, and the blocks' sums are added in block order.
 */
#ifndef CNV_NUM_REDUCE_H
#define CNV_NUM_REDUCE_H

#include <stddef.h>

#include "base/status.h"
#include "num/rows.h"
#include "num/team.h"

struct cnv_reducer;

/*
 * Adds the rows of span into sum[length] (zero at the start; NULL when no vector is wanted) and
 * returns the block's part of the scalar. slot < threads names scratch that no other block uses
 * at the same time.
 */
typedef double (*cnv_reduce_fn)(void *ctx, const struct cnv_span *span, size_t slot, double *sum);

/* For vectors of at most length; threads as in team.h. */
CNV_MUST_CHECK enum cnv_status cnv_reducer_new(size_t threads,
                                               size_t block_rows,
                                               size_t length,
                                               struct cnv_reducer **ret_reducer,
                                               struct cnv_error *err);

/* NULL is fine. */
void cnv_reducer_destroy(struct cnv_reducer *reducer);

struct cnv_team *cnv_reducer_team(struct cnv_reducer *reducer);

/*
 * Sums over rows (list[0..rows), or rows 0 .. rows-1 when list is NULL). out[length] is
 * overwritten; NULL when only the scalar is wanted. Returns the scalar.
 */
double cnv_reduce(struct cnv_reducer *reducer,
                  const size_t *list,
                  size_t rows,
                  cnv_reduce_fn block,
                  void *ctx,
                  double *out);

#endif
