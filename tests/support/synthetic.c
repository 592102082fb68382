/* synthetic.c - see synthetic.h. */
#include "synthetic.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"

static struct cnv_shard *sparse_new(size_t rows, size_t features, size_t nonzeros)
{
    struct cnv_shard *shard = cnv_object_new(struct cnv_shard);

    shard->rows = rows;
    shard->features = features;
    shard->labels = cnv_array_new(rows, sizeof(*shard->labels));
    shard->row_start = cnv_array_new(rows + 1, sizeof(*shard->row_start));
    shard->columns = cnv_array_new(nonzeros, sizeof(*shard->columns));
    shard->values = cnv_array_new(nonzeros, sizeof(*shard->values));
    return shard;
}

static double label_of(const struct synthetic *how, const double *scores, double noise)
{
    size_t best = 0;

    if (how->classes == 0) {
        return scores[0] + noise;
    }
    if (how->classes == 2) {
        return scores[0] + noise > 0.0 ? 1.0 : -1.0;
    }
    for (size_t k = 1; k < how->classes; k++) {
        best = scores[k] > scores[best] ? k : best;
    }
    return (double) best + 1.0;
}

struct cnv_shard *synthetic_shard(const struct synthetic *how)
{
    struct cnv_shard *shard = sparse_new(how->rows, how->features, how->rows * how->features);
    size_t outputs = how->classes > 2 ? how->classes : 1;
    double *truth = cnv_array_new(outputs * how->features, sizeof(*truth));
    double *scores = cnv_array_new(outputs, sizeof(*scores));
    struct cnv_rng rng;
    size_t at = 0;

    cnv_rng_init(&rng, how->seed, CNV_RNG_SYNTHETIC, 0, 0);
    for (size_t i = 0; i < outputs * how->features; i++) {
        truth[i] = cnv_rng_normal(&rng) / sqrt((double) how->features * how->density);
    }
    for (size_t i = 0; i < how->rows; i++) {
        bool is_empty = how->density < 1.0 && i % 7 == 3;

        shard->row_start[i] = at;
        for (size_t k = 0; k < outputs; k++) {
            scores[k] = k > 0 ? how->noise * cnv_rng_normal(&rng) : 0.0;
        }
        for (size_t j = 0; j < how->features && !is_empty; j++) {
            if (cnv_rng_uniform(&rng) >= how->density) {
                continue;
            }
            shard->columns[at] = (uint32_t) j;
            shard->values[at] = cnv_rng_normal(&rng);
            for (size_t k = 0; k < outputs; k++) {
                scores[k] += truth[k * how->features + j] * shard->values[at];
            }
            at++;
        }
        shard->labels[i] = label_of(how, scores, how->noise * cnv_rng_normal(&rng));
    }
    shard->row_start[how->rows] = at;
    cnv_free(truth);
    cnv_free(scores);
    return shard;
}

struct cnv_shard *synthetic_dense(const struct cnv_shard *sparse)
{
    struct cnv_shard *dense = cnv_object_new(struct cnv_shard);

    dense->rows = sparse->rows;
    dense->features = sparse->features;
    dense->labels = cnv_array_new(sparse->rows, sizeof(*dense->labels));
    dense->values = cnv_array_new(sparse->rows * sparse->features, sizeof(*dense->values));
    for (size_t i = 0; i < sparse->rows; i++) {
        dense->labels[i] = sparse->labels[i];
        for (size_t e = sparse->row_start[i]; e < sparse->row_start[i + 1]; e++) {
            dense->values[i * sparse->features + sparse->columns[e]] = sparse->values[e];
        }
    }
    return dense;
}

struct cnv_shard *synthetic_part(const struct cnv_shard *sparse, size_t first, size_t last)
{
    size_t from = sparse->row_start[first];
    size_t nonzeros = sparse->row_start[last] - from;
    struct cnv_shard *part = sparse_new(last - first, sparse->features, nonzeros);

    for (size_t i = first; i < last; i++) {
        part->labels[i - first] = sparse->labels[i];
        part->row_start[i - first] = sparse->row_start[i] - from;
    }
    part->row_start[last - first] = nonzeros;
    for (size_t e = 0; e < nonzeros; e++) {
        part->columns[e] = sparse->columns[from + e];
        part->values[e] = sparse->values[from + e];
    }
    return part;
}

void synthetic_destroy(struct cnv_shard *shard)
{
    if (shard != NULL) {
        cnv_free(shard->labels);
        cnv_free(shard->row_start);
        cnv_free(shard->columns);
        cnv_free(shard->values);
        cnv_free(shard);
    }
}
