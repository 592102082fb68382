/* sampling.c - see sampling.h. */
#include "solver/sampling.h"

#include <string.h>

#include "base/mem.h"
#include "num/vector.h"

static bool asks_for_smoothness(const struct cnv_config *config)
{
    return strcmp(cnv_config_text(config, "solver/step-rule"), "given") != 0 &&
           cnv_config_real(config, "solver/smoothness") == 0;
}

enum cnv_smoothness cnv_sampling_of_shard(const struct cnv_config *config)
{
    return asks_for_smoothness(config) ? CNV_SMOOTHNESS_SHARD : CNV_SMOOTHNESS_NONE;
}

enum cnv_smoothness cnv_sampling_of_rows(const struct cnv_config *config)
{
    return asks_for_smoothness(config) ? CNV_SMOOTHNESS_ROWS : CNV_SMOOTHNESS_NONE;
}

enum cnv_status cnv_sampling_init(struct cnv_sampling *sampling,
                                  const struct cnv_solver_setup *setup,
                                  struct cnv_error *err)
{
    const struct cnv_problem *problem = setup->problem;
    double smoothness = cnv_config_real(setup->config, "solver/smoothness");

    bool is_same = strcmp(cnv_config_text(setup->config, "solver/draw"), "same") == 0;

    *sampling = (struct cnv_sampling){ .seed = setup->seed, .stream = is_same ? 0 : setup->stream };
    sampling->smoothness = smoothness > 0 ? smoothness : setup->smoothness;
    if (asks_for_smoothness(setup->config) && !(sampling->smoothness > 0)) {
        return cnv_fail(
            err,
            CNV_E_INPUT,
            "solver/smoothness: %s%s does not say how smooth its objective is; give L, or "
            "solver/step-rule=given and solver/step",
            problem->ops->smoothness == NULL ? "problem/kind=" : "a member of the run",
            problem->ops->smoothness == NULL ? problem->ops->name : "");
    }
    enum cnv_status status =
        cnv_partition_read(setup->config, problem->dimension, &sampling->partition, err);
    if (status != CNV_OK) {
        return status;
    }
    sampling->blocks = cnv_array_new(sampling->partition.drawn, sizeof(*sampling->blocks));
    sampling->marks = cnv_array_new(sampling->partition.count, sizeof(*sampling->marks));
    if (sampling->blocks == NULL || sampling->marks == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "%zu blocks", sampling->partition.count);
    }
    return CNV_OK;
}

void cnv_sampling_fini(struct cnv_sampling *sampling)
{
    cnv_free(sampling->blocks);
    cnv_free(sampling->marks);
    sampling->blocks = NULL;
    sampling->marks = NULL;
}

void cnv_sampling_draw(struct cnv_sampling *sampling, uint64_t iteration)
{
    cnv_partition_draw(&sampling->partition,
                       sampling->seed,
                       sampling->stream,
                       iteration,
                       sampling->marks,
                       sampling->blocks);
}

double cnv_sampling_step(const struct cnv_config *config, double sharp, double theory)
{
    const char *rule = cnv_config_text(config, "solver/step-rule");

    if (strcmp(rule, "given") == 0) {
        return cnv_config_real(config, "solver/step");
    }
    return strcmp(rule, "theory") == 0 ? theory : sharp;
}

double cnv_sampling_ibcd_step(const struct cnv_sampling *sampling, const struct cnv_config *config)
{
    double n = (double) sampling->partition.agents;
    double tau = sampling->partition.tau;
    double smoothness = sampling->smoothness;

    return cnv_sampling_step(config,
                             n / (smoothness * (tau * n + 1.0 - tau)),
                             n / (2.0 * smoothness * (tau * n + 2.0 * (1.0 - tau))));
}

double cnv_sampling_isega_step(const struct cnv_sampling *sampling, const struct cnv_config *config)
{
    double ntau = (double) sampling->partition.agents * sampling->partition.tau;
    double sharp = 1.0 / (sampling->smoothness * (1.0 + 1.0 / ntau));

    return cnv_sampling_step(config, sharp, sharp / 4.0);
}

void cnv_sampling_add(const struct cnv_sampling *sampling,
                      double factor,
                      const double *x,
                      double *y)
{
    const struct cnv_partition *partition = &sampling->partition;

    for (size_t i = 0; i < partition->drawn; i++) {
        size_t first = cnv_partition_first(partition, sampling->blocks[i]);

        cnv_vector_add(
            cnv_partition_len(partition, sampling->blocks[i]), factor, x + first, y + first);
    }
}

void cnv_sampling_difference(const struct cnv_sampling *sampling,
                             const double *x,
                             const double *z,
                             double *y)
{
    const struct cnv_partition *partition = &sampling->partition;

    cnv_vector_zero(partition->length, y);
    for (size_t i = 0; i < partition->drawn; i++) {
        size_t first = cnv_partition_first(partition, sampling->blocks[i]);

        cnv_vector_move(cnv_partition_len(partition, sampling->blocks[i]),
                        x + first,
                        -1.0,
                        z + first,
                        y + first);
    }
}

void cnv_sampling_contribute(const struct cnv_sampling *sampling,
                             const double *values,
                             struct cnv_solver_contribution *contribution)
{
    contribution->values = values;
    contribution->length = sampling->partition.length;
    contribution->blocks = sampling->blocks;
    contribution->block_count = sampling->partition.drawn;
    contribution->block = sampling->partition.block;
}

/* --- Methods whose round is one gradient -------------------------------------------------- */

enum cnv_status cnv_sampled_init(struct cnv_sampled *sampled,
                                 const struct cnv_solver_ops *ops,
                                 const struct cnv_solver_setup *setup,
                                 size_t more,
                                 struct cnv_error *err)
{
    size_t n = setup->problem->dimension;
    size_t count = 0;
    enum cnv_status status = cnv_sampling_init(&sampled->sampling, setup, err);

    if (status != CNV_OK) {
        return status;
    }
    sampled->ops = ops;
    sampled->problem = setup->problem;
    if (!__builtin_mul_overflow(n, more + 2, &count)) {
        sampled->all = cnv_array_new(count, sizeof(double));
    }
    if (sampled->all == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "solver %s in %zu coordinates", ops->name, n);
    }
    sampled->g = sampled->all;
    sampled->update = sampled->g + n;
    sampled->vectors = sampled->update + n;
    return CNV_OK;
}

void cnv_sampled_fini(void *state)
{
    struct cnv_sampled *sampled = state;

    cnv_sampling_fini(&sampled->sampling);
    cnv_free(sampled->all);
    sampled->all = NULL;
}

void cnv_sampled_begin(void *state, const struct cnv_solver_round *round)
{
    struct cnv_sampled *sampled = state;

    sampled->model = round->model;
    sampled->evaluate = round->evaluate;
    sampled->iteration = round->iteration;
    cnv_vector_zero(sampled->problem->dimension, sampled->update);
    cnv_sampling_draw(&sampled->sampling, round->iteration);
}

enum cnv_status cnv_sampled_contribute(void *state,
                                       const char *exchange,
                                       uint32_t index,
                                       struct cnv_solver_contribution *contribution,
                                       struct cnv_error *err)
{
    const struct cnv_sampled *sampled = state;
    struct cnv_problem *problem = sampled->problem;
    bool is_model = strcmp(exchange, "model") == 0;

    if (index != 0 || (!is_model && strcmp(exchange, "loss") != 0)) {
        return cnv_fail(err,
                        CNV_E_UNEXPECTED,
                        "solver %s has no exchange %u \"%s\"",
                        sampled->ops->name,
                        index,
                        exchange);
    }
    *contribution = (struct cnv_solver_contribution){ 0 };
    if (sampled->evaluate || !is_model) {
        contribution->scalars[0] = problem->ops->loss(problem->state, sampled->model, NULL);
        contribution->scalar_count = 1;
    }
    if (is_model) {
        cnv_sampling_contribute(&sampled->sampling, sampled->update, contribution);
    }
    return CNV_OK;
}

void cnv_sampled_concluded(void *state, bool counted)
{
    (void) state;
    (void) counted;
}
