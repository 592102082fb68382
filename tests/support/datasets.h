/* datasets.h - the real data sets, cut into shards, and the optima that come with them. */
#ifndef CNV_TESTS_DATASETS_H
#define CNV_TESTS_DATASETS_H

#include "cluster.h"

/* A problem of optima.json, with one of its weights of the regulariser as written there. */
struct dataset_optimum {
    double loss;          /* f* */
    double train_correct; /* rows that the optimum predicts right; NaN for real targets */
    double scale;         /* what the values were multiplied by */
    double l2;
};

/* "logistic:a9a", "1/n". Skips the running test where there is no real data. */
struct dataset_optimum dataset_optimum(const char *problem, const char *l2);

/* The data of such a problem as a cluster: shuffled with the seed and cut into shards. */
struct cluster *dataset_cluster(const char *problem, const char *l2, uint64_t seed, size_t agents);

#endif
