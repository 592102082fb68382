/* cluster.c - rounds in lock-step; see cluster.h. */
#include "cluster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/partition.h"
#include "base/rng.h"
#include "config/config.h"
#include "fit.h"
#include "num/num.h"
#include "num/vector.h"
#include "synthetic.h"

static void check(enum cnv_status status, const struct cnv_error *err)
{
    if (status != CNV_OK) {
        (void) fprintf(stderr, "cluster: %s\n", err->text);
        abort();
    }
}

static void collect_labels(struct cluster *cluster)
{
    double found[CNV_LABELS_MAX];

    for (size_t k = 0; k < cluster->agents; k++) {
        const struct cnv_shard *shard = cluster->shards[k];

        cluster->rows += shard->rows;
        cluster->features =
            shard->features > cluster->features ? shard->features : cluster->features;
        for (size_t i = 0; i < shard->rows && cluster->label_count < CNV_LABELS_MAX; i++) {
            size_t at = 0;

            while (at < cluster->label_count && found[at] < shard->labels[i]) {
                at++;
            }
            if (at == cluster->label_count || found[at] != shard->labels[i]) {
                memmove(found + at + 1, found + at, (cluster->label_count - at) * sizeof(*found));
                found[at] = shard->labels[i];
                cluster->label_count++;
            }
        }
    }
    memcpy(cluster->labels, found, sizeof(found));
}

static bool is_shared(const struct cluster *cluster)
{
    return cnv_config_boolean(cluster->config, "data/shared");
}

/* Of agent k in means. */
static double weight_of(const struct cluster *cluster, size_t k)
{
    return is_shared(cluster) ? 1.0 / (double) cluster->agents
                              : (double) cluster->problems[k]->rows / (double) cluster->rows;
}

/* As the trainer has it: by shard; one agent alone holds data of its own, and is "agent-1". */
static uint32_t stream_of(size_t agents, size_t k)
{
    static const char name[] = "agent-1";

    return agents > 1 ? (uint32_t) (k + 1)
                      : cnv_crc32c(0, (const uint8_t *) name, sizeof(name) - 1);
}

struct cluster *cluster_new(const char *problem,
                            const char *const *settings,
                            struct cnv_shard *const *shards,
                            size_t agents)
{
    struct cluster *cluster = cnv_object_new(struct cluster);
    struct cnv_error err;

    cnv_num_init();
    cluster->agents = agents;
    cluster->config = cnv_config_new();
    fit_settings(cluster->config, problem);
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        check(cnv_config_assign(cluster->config, settings[i], "test", &err), &err);
    }
    memcpy(cluster->shards, shards, agents * sizeof(*shards));
    if (!cnv_problem_find(problem)->is_classification) {
        for (size_t k = 0; k < agents; k++) {
            cluster->rows += shards[k]->rows;
            cluster->features =
                shards[k]->features > cluster->features ? shards[k]->features : cluster->features;
        }
    } else {
        collect_labels(cluster);
    }
    if (is_shared(cluster)) {
        cluster->rows /= agents;
    }
    for (size_t k = 0; k < agents; k++) {
        struct cnv_problem_setup setup = {
            .config = cluster->config,
            .shard = shards[k],
            .features = cluster->features,
            .labels = cluster->label_count > 0 ? cluster->labels : NULL,
            .classes = cluster->label_count,
            .total_rows = cluster->rows,
            .stream = stream_of(agents, k),
        };

        check(cnv_problem_new(problem, &setup, &cluster->problems[k], &err), &err);
    }
    cluster->dimension = cluster->problems[0]->dimension;
    cluster->model = cnv_array_new(cluster->dimension, sizeof(double));
    cluster->heard = cnv_array_new(cluster->dimension, sizeof(double));
    size_t rows = cluster->rows > agents ? cluster->rows : agents;
    cluster->said = cnv_array_new(rows * cluster->dimension, sizeof(double));
    cluster->saying = cnv_array_new(agents * cluster->dimension, sizeof(double));
    cluster->update = cnv_array_new(cluster->dimension, sizeof(double));
    return cluster;
}

static void drop_solvers(struct cluster *cluster)
{
    for (size_t k = 0; cluster->solver != NULL && k < cluster->agents; k++) {
        cluster->solver->fini(cluster->solvers[k]);
        cnv_free(cluster->solvers[k]);
    }
    cluster->solver = NULL;
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    drop_solvers(cluster);
    for (size_t k = 0; k < cluster->agents; k++) {
        cnv_problem_destroy(cluster->problems[k]);
        synthetic_destroy(cluster->shards[k]);
    }
    cnv_config_destroy(cluster->config);
    cnv_free(cluster->model);
    cnv_free(cluster->heard);
    cnv_free(cluster->said);
    cnv_free(cluster->saying);
    cnv_free(cluster->update);
    cnv_free(cluster);
}

/* The largest n p_i L_i, p_i being the weights of the mean. */
static double largest_smoothness(struct cluster *cluster)
{
    const struct cnv_solver_ops *solver = cluster->solver;
    enum cnv_smoothness of =
        solver->smoothness == NULL ? CNV_SMOOTHNESS_NONE : solver->smoothness(cluster->config);
    double largest = 0;

    for (size_t k = 0; of != CNV_SMOOTHNESS_NONE && k < cluster->agents; k++) {
        struct cnv_problem *problem = cluster->problems[k];
        double factor = (double) cluster->agents * weight_of(cluster, k);
        double smoothness = 0;
        struct cnv_error err;

        if (problem->ops->smoothness != NULL) {
            check(problem->ops->smoothness(problem->state, of, &smoothness, &err), &err);
        }
        largest = factor * smoothness > largest ? factor * smoothness : largest;
    }
    return largest;
}

static void use_solver(struct cluster *cluster, const char *name)
{
    if (cluster->solver != NULL && strcmp(cluster->solver->name, name) == 0) {
        return;
    }
    drop_solvers(cluster);
    cluster->solver = cnv_solver_find(name);
    const char *plan = cluster->solver->plan;
    if (!cnv_plan_parse(plan == NULL ? cnv_plan_of_solver(name) : plan, &cluster->plan)) {
        abort();
    }
    double smoothness = largest_smoothness(cluster);
    for (size_t k = 0; k < cluster->agents; k++) {
        struct cnv_solver_setup setup = {
            .config = cluster->config,
            .smoothness = smoothness,
            .problem = cluster->problems[k],
            .seed = 1,
            .shard = (uint32_t) (k + 1),
            .stream = stream_of(cluster->agents, k),
        };
        struct cnv_error err;

        cluster->solvers[k] = cnv_array_new(1, cluster->solver->state_size);
        check(cluster->solver->init(cluster->solvers[k], &setup, &err), &err);
    }
}

/* What the server knows of one exchange. */
struct exchange {
    double *values; /* [dimension] the mean */
    double scalars[CNV_SCALARS_MAX];
    size_t scalar_count;
    bool has_values;
    bool is_scaled;
    double factor;
    uint32_t reference;
};

static bool optimiser_is(const struct cluster *cluster, const char *kind)
{
    return strcmp(cnv_config_text(cluster->config, "optimiser/kind"), kind) == 0;
}

/* What agent k's contribution is compared with; NULL: there is no table. */
static double *table_row(struct cluster *cluster, size_t k)
{
    uint64_t rows[CLUSTER_MAX];
    struct cnv_rng rng;

    if (optimiser_is(cluster, "sega-table")) {
        return cluster->said + k * cluster->dimension;
    }
    if (!optimiser_is(cluster, "saga-table")) {
        return NULL;
    }
    cnv_rng_init(&rng, 1, CNV_RNG_ROWS, 0, cluster->iteration);
    cnv_rng_distinct(&rng, cluster->rows, k + 1, rows);
    return cluster->said + rows[k] * cluster->dimension;
}

/* What is aggregated of agent k's contribution: where there is a table, how the blocks it names
 * differ from its row; with saga-table the mean of the rows comes on top. */
static void compare_with_table(struct cluster *cluster,
                               size_t k,
                               const struct cnv_solver_contribution *part,
                               double *values)
{
    const double *said = table_row(cluster, k);
    double *saying = cluster->saying + k * cluster->dimension;

    cnv_vector_copy(cluster->dimension, part->values, values);
    for (size_t j = 0; j < cluster->dimension; j++) {
        saying[j] = NAN;
    }
    for (size_t b = 0; said != NULL && b < part->block_count; b++) {
        size_t first = part->blocks[b] * part->block;

        for (size_t j = first; j < first + part->block && j < cluster->dimension; j++) {
            saying[j] = part->values[j];
            values[j] = saying[j] - said[j];
            values[j] += optimiser_is(cluster, "saga-table") ? cluster->heard[j] : 0;
        }
    }
}

static void
run_exchange(struct cluster *cluster, const char *name, uint32_t index, struct exchange *all)
{
    struct exchange *mean = &all[index];

    double *values = cnv_array_new(cluster->dimension, sizeof(double));

    mean->values = cnv_array_new(cluster->dimension, sizeof(double));
    for (size_t k = 0; k < cluster->agents; k++) {
        double weight = weight_of(cluster, k);
        struct cnv_solver_contribution part;
        struct cnv_error err;

        check(cluster->solver->contribute(cluster->solvers[k], name, index, &part, &err), &err);
        mean->has_values = part.values != NULL;
        mean->is_scaled = part.is_scaled;
        mean->scalar_count = part.scalar_count;
        if (part.values != NULL) {
            compare_with_table(cluster, k, &part, values);
            cnv_vector_add(cluster->dimension, weight, values, mean->values);
        }
        for (size_t i = 0; i < part.scalar_count; i++) {
            mean->scalars[i] += weight * part.scalars[i];
        }
        if (part.is_scaled && k > 0 && part.factor != mean->factor) {
            (void) fprintf(stderr, "cluster: agent %zu disagrees\n", k);
            abort();
        }
        mean->factor = part.factor;
        mean->reference = part.reference;
    }
    cnv_free(values);
    for (size_t i = 0; mean->is_scaled && i < cluster->dimension; i++) {
        mean->values[i] = mean->factor * all[mean->reference].values[i];
    }
    struct cnv_solver_result result = {
        .values = mean->has_values ? mean->values : NULL,
        .length = mean->has_values ? cluster->dimension : 0,
        .scalars = mean->scalars,
        .scalar_count = mean->scalar_count,
    };
    for (size_t k = 0; k < cluster->agents; k++) {
        cluster->solver->settled(cluster->solvers[k], name, index, &result);
    }
}

static void take_steps(struct cluster *cluster)
{
    for (size_t k = 0; k < cluster->agents; k++) {
        for (uint32_t i = 0; i < cluster->local_steps; i++) {
            struct cnv_error err;

            check(cluster->solver->step(cluster->solvers[k], &err), &err);
        }
    }
}

void cluster_begin(struct cluster *cluster, const char *solver, uint32_t local_steps)
{
    use_solver(cluster, solver);
    cluster->local_steps = local_steps;
    for (size_t k = 0; k < cluster->agents; k++) {
        struct cnv_solver_round round = {
            .model = cluster->model,
            .iteration = cluster->iteration,
            .local_steps = local_steps,
            .evaluate = true,
        };

        cluster->solver->begin(cluster->solvers[k], &round);
    }
    if (cluster->solver->settled_before_steps == 0) {
        take_steps(cluster);
    }
}

double cluster_play(struct cluster *cluster, uint32_t upto)
{
    struct exchange all[CNV_PLAN_MAX] = { { 0 } };
    uint32_t count = upto < cluster->plan.count ? upto : cluster->plan.count;

    for (uint32_t e = 0; e < count; e++) {
        if (e > 0 && e == cluster->solver->settled_before_steps) {
            take_steps(cluster);
        }
        run_exchange(cluster, cluster->plan.names[e], e, all);
    }
    if (count == cluster->plan.count) {
        cnv_vector_copy(cluster->dimension, all[count - 1].values, cluster->update);
    }
    for (uint32_t e = 0; e < count; e++) {
        cnv_free(all[e].values);
    }
    return all[0].scalars[0];
}

/* optimiser/kind=sega (Mishchenko et al. 2020, Algorithm 2): x := x + h + D / tau; h := h + D. */
static void apply_sega(struct cluster *cluster)
{
    struct cnv_partition partition;
    struct cnv_error err;

    check(cnv_partition_read(cluster->config, cluster->dimension, &partition, &err), &err);
    for (size_t j = 0; j < cluster->dimension; j++) {
        double d = cluster->update[j];

        cluster->model[j] += cluster->heard[j] + d / partition.tau;
        cluster->heard[j] += d;
    }
}

/* The table as it is told in this round; with saga-table the mean over its rows moves with it. */
static void take_said(struct cluster *cluster)
{
    for (size_t k = 0; k < cluster->agents; k++) {
        double *said = table_row(cluster, k);
        const double *saying = cluster->saying + k * cluster->dimension;

        for (size_t j = 0; said != NULL && j < cluster->dimension; j++) {
            if (isnan(saying[j])) {
                continue;
            }
            if (optimiser_is(cluster, "saga-table")) {
                cluster->heard[j] += (saying[j] - said[j]) / (double) cluster->rows;
            }
            said[j] = saying[j];
        }
    }
}

void cluster_conclude(struct cluster *cluster, bool counted)
{
    for (size_t k = 0; k < cluster->agents; k++) {
        cluster->solver->concluded(cluster->solvers[k], counted);
    }
    if (counted) {
        if (optimiser_is(cluster, "sega") || optimiser_is(cluster, "sega-table")) {
            apply_sega(cluster);
        } else {
            cnv_vector_add(cluster->dimension, 1.0, cluster->update, cluster->model);
        }
        take_said(cluster);
        cluster->iteration += cluster->local_steps;
        cluster->rounds++;
    }
}

double cluster_round(struct cluster *cluster, const char *solver, uint32_t local_steps)
{
    cluster_begin(cluster, solver, local_steps);
    double loss = cluster_play(cluster, UINT32_MAX);
    cluster_conclude(cluster, true);
    return loss;
}

double cluster_loss(struct cluster *cluster, const double *w)
{
    double loss = 0.0;

    for (size_t k = 0; k < cluster->agents; k++) {
        struct cnv_problem *problem = cluster->problems[k];

        loss += weight_of(cluster, k) * problem->ops->loss(problem->state, w, NULL);
    }
    return loss;
}

void cluster_gradient(struct cluster *cluster, const double *w, double *g)
{
    double *local = cnv_array_new(cluster->dimension, sizeof(*local));

    cnv_vector_zero(cluster->dimension, g);
    for (size_t k = 0; k < cluster->agents; k++) {
        struct cnv_problem *problem = cluster->problems[k];

        (void) problem->ops->gradient(problem->state, w, NULL, local);
        cnv_vector_add(cluster->dimension, weight_of(cluster, k), local, g);
    }
    cnv_free(local);
}

void cluster_adaptive(
    struct cluster *cluster, double delta, size_t rounds, double optimum, double *gaps)
{
    uint32_t local_steps = 3;
    bool is_giant = false;
    double previous = NAN;

    for (size_t r = 0; r < rounds; r++) {
        double loss = cluster_round(cluster, is_giant ? "giant" : "newton", local_steps);

        if (!is_giant && previous - loss < delta) {
            is_giant = local_steps == 1;
            local_steps -= local_steps > 1;
        }
        previous = loss;
        gaps[r] = cluster_loss(cluster, cluster->model) - optimum;
    }
}
