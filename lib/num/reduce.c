/* reduce.c - blocks in waves of the team's size; one buffer per lane. */
#include "num/reduce.h"

#include <assert.h>

#include "base/mem.h"
#include "num/vector.h"

struct cnv_reducer {
    struct cnv_team *team;
    size_t block_rows;
    size_t length;
    double *sums;    /* [threads x length] */
    double *scalars; /* [threads] */
};

/* One wave, as the lanes see it. */
struct wave {
    struct cnv_reducer *reducer;
    const size_t *list;
    size_t rows;
    size_t first_block;
    cnv_reduce_fn block;
    void *ctx;
    bool has_vector;
};

enum cnv_status cnv_reducer_new(size_t threads,
                                size_t block_rows,
                                size_t length,
                                struct cnv_reducer **ret_reducer,
                                struct cnv_error *err)
{
    assert(block_rows > 0);
    enum cnv_status status = CNV_E_NOMEM;
    size_t doubles = 0;
    struct cnv_reducer *reducer = cnv_object_new(struct cnv_reducer);

    if (reducer == NULL || __builtin_mul_overflow(threads, length, &doubles)) {
        goto fail;
    }
    reducer->block_rows = block_rows;
    reducer->length = length;
    reducer->sums = cnv_array_new(doubles, sizeof(*reducer->sums));
    reducer->scalars = cnv_array_new(threads, sizeof(*reducer->scalars));
    if (reducer->sums == NULL || reducer->scalars == NULL) {
        goto fail;
    }
    status = cnv_team_new(threads, &reducer->team, err);
    if (status != CNV_OK) {
        cnv_reducer_destroy(reducer);
        return status;
    }
    *ret_reducer = reducer;
    return CNV_OK;

fail:
    cnv_reducer_destroy(reducer);
    return cnv_fail(err, status, "sums of %zu coordinates on %zu threads", length, threads);
}

void cnv_reducer_destroy(struct cnv_reducer *reducer)
{
    if (reducer == NULL) {
        return;
    }
    cnv_team_destroy(reducer->team);
    cnv_free(reducer->sums);
    cnv_free(reducer->scalars);
    cnv_free(reducer);
}

struct cnv_team *cnv_reducer_team(struct cnv_reducer *reducer)
{
    return reducer->team;
}

static void wave_piece(void *ctx, size_t piece)
{
    const struct wave *wave = ctx;
    struct cnv_reducer *reducer = wave->reducer;
    size_t first = (wave->first_block + piece) * reducer->block_rows;
    size_t left = wave->rows - first;
    struct cnv_span span = {
        .list = wave->list,
        .first = first,
        .count = left < reducer->block_rows ? left : reducer->block_rows,
    };
    double *sum = NULL;

    if (wave->has_vector) {
        sum = reducer->sums + piece * reducer->length;
        cnv_vector_zero(reducer->length, sum);
    }
    reducer->scalars[piece] = wave->block(wave->ctx, &span, piece, sum);
}

double cnv_reduce(struct cnv_reducer *reducer,
                  const size_t *list,
                  size_t rows,
                  cnv_reduce_fn block,
                  void *ctx,
                  double *out)
{
    size_t blocks = rows / reducer->block_rows + (rows % reducer->block_rows != 0);
    size_t size = cnv_team_size(reducer->team);
    double scalar = 0.0;

    if (out != NULL) {
        cnv_vector_zero(reducer->length, out);
    }
    for (size_t first = 0; first < blocks; first += size) {
        struct wave wave = { reducer, list, rows, first, block, ctx, out != NULL };
        size_t pieces = blocks - first < size ? blocks - first : size;

        cnv_team_run(reducer->team, pieces, wave_piece, &wave);
        for (size_t i = 0; i < pieces; i++) {
            scalar += reducer->scalars[i];
            if (out != NULL) {
                cnv_vector_add(reducer->length, 1.0, reducer->sums + i * reducer->length, out);
            }
        }
    }
    return scalar;
}
