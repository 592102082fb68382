/*
 * Real data against optima computed by others: Newton's own optimum, and the rounds that the
 * distributed methods need on four agents and more.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "datasets.h"
#include "num/vector.h"

struct certificate {
    const char *problem;
    const char *l2;
};

/* f(w) - f* <= |g|^2 / 2 l2: with a gradient of 1e-12 what is left is rounding. */
Test(optima, newton_on_one_shard_finds_the_optimum, .timeout = 120)
{
    static const struct certificate certificates[] = {
        { "logistic:a9a", "1/n" },        { "logistic:a9a", "1e-3" },
        { "logistic:w8a", "1/n" },        { "logistic:phishing", "1e-4" },
        { "logistic:mushrooms", "1/n" },  { "logistic:ijcnn1", "1/n" },
        { "logistic:covtype20k", "1/n" }, { "logistic:money-fx", "1/n" },
        { "ridge:a9a", "1/n" },           { "ridge:abalone_scale", "1e-4" },
        { "ridge:diabetes", "1/n" },      { "ridge:casp", "1e-3" },
        { "softmax:digits", "1/n" },
    };

    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++) {
        const struct certificate *certificate = &certificates[i];
        struct dataset_optimum optimum = dataset_optimum(certificate->problem, certificate->l2);
        struct cluster *alone = dataset_cluster(certificate->problem, certificate->l2, 1, 1);
        double *g = cnv_array_new(alone->dimension, sizeof(*g));
        double norm = INFINITY;

        for (int r = 0; r < 8 && norm > 1e-12; r++) {
            (void) cluster_round(alone, "newton", 2);
            cluster_gradient(alone, alone->model, g);
            norm = cnv_vector_norm(alone->dimension, g);
        }
        double gap = cluster_loss(alone, alone->model) - optimum.loss;
        cr_assert_leq(fabs(gap),
                      1e-12 * (1.0 + optimum.loss),
                      "%s %s: off by %g, |g| %g",
                      certificate->problem,
                      certificate->l2,
                      gap,
                      norm);
        if (!isnan(optimum.train_correct)) {
            struct cnv_problem *problem = alone->problems[0];

            cr_assert_float_eq(problem->ops->score(problem->state, alone->model, alone->shards[0]),
                               optimum.train_correct,
                               alone->label_count > 0 ? 1.0 : INFINITY);
        }
        cnv_free(g);
        cluster_destroy(alone);
    }
}

/* Without adaptation a floor remains. */
Test(optima, fixed_local_steps_on_a9a_come_near_and_stay_away, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct cluster *cluster = dataset_cluster("logistic:a9a", "1/n", seed, 4);
        double optimum = dataset_optimum("logistic:a9a", "1/n").loss;
        double gap = INFINITY;

        for (int r = 1; r <= 12; r++) {
            (void) cluster_round(cluster, "newton", 3);
            gap = cluster_loss(cluster, cluster->model) - optimum;
            cr_assert(r < 3 || gap < 2e-4, "seed %u, round %d: %g", (unsigned) seed, r, gap);
            cr_assert_gt(gap, 1e-5, "seed %u, round %d: %g", (unsigned) seed, r, gap);
        }
        cluster_destroy(cluster);
    }
}

struct promise {
    const char *problem;
    const char *l2;
    size_t agents;
    uint64_t seed;
    size_t rounds_1e6; /* within 1e-6 after so many rounds */
    size_t rounds_1e8;
};

static void check_promise(const struct promise *promise)
{
    struct cluster *cluster =
        dataset_cluster(promise->problem, promise->l2, promise->seed, promise->agents);
    double optimum = dataset_optimum(promise->problem, promise->l2).loss;
    double gaps[30];
    size_t last = promise->rounds_1e8;

    cluster_adaptive(cluster, 1e-2, last, optimum, gaps);
    for (size_t r = 0; r < last; r++) {
        bool is_kept = (r + 1 < promise->rounds_1e6 || gaps[r] <= 1e-6) &&
                       (r + 1 < promise->rounds_1e8 || gaps[r] <= 1e-8);

        cr_assert(is_kept,
                  "%s l2 %s, %zu agents, seed %u: %.2e after round %zu",
                  promise->problem,
                  promise->l2,
                  promise->agents,
                  (unsigned) promise->seed,
                  gaps[r],
                  r + 1);
    }
    cluster_destroy(cluster);
}

/* Asked for are 14 rounds to 1e-8 (a9a, phishing), 20 to 1e-6 and 30 to 1e-8 (the others); what is
 * tested leaves a round or two of room above what was measured. */
Test(optima, adaptive_l_reaches_the_optimum_on_four_agents, .timeout = 120)
{
    static const struct promise promises[] = {
        { "logistic:a9a", "1/n", 4, 1, 8, 10 },
        { "logistic:a9a", "1/n", 4, 2, 8, 10 },
        { "logistic:phishing", "1e-4", 4, 1, 8, 9 },
        { "logistic:w8a", "1/n", 4, 2, 12, 14 },
        { "logistic:w7a", "1/n", 4, 1, 12, 14 },
        { "logistic:a8a", "1/n", 4, 1, 9, 11 },
        { "logistic:ijcnn1", "1/n", 4, 1, 8, 9 },
        { "logistic:covtype20k", "1/n", 4, 3, 10, 12 },
        { "logistic:mushrooms", "1/n", 4, 1, 10, 12 },
        { "logistic:money-fx", "1/n", 4, 1, 11, 14 },
        { "logistic:a1a", "1/n", 4, 3, 12, 14 },
    };

    for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
        check_promise(&promises[i]);
    }
}

Test(optima, adaptive_l_reaches_the_optimum_on_two_to_ten_agents, .timeout = 120)
{
    static const struct promise promises[] = {
        { "logistic:a9a", "1/n", 2, 1, 8, 10 },         { "logistic:a9a", "1/n", 10, 2, 10, 12 },
        { "logistic:a8a", "1/n", 8, 2, 10, 12 },        { "logistic:a1a", "1/n", 10, 1, 15, 20 },
        { "logistic:mushrooms", "1e-4", 8, 1, 11, 14 },
    };

    for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
        check_promise(&promises[i]);
    }
}
