/* registry.c - the problems there are, by name, and a problem together with its state. */
#include <string.h>

#include "base/mem.h"
#include "problem/problem.h"

extern const struct cnv_problem_ops cnv_problem_logistic;
extern const struct cnv_problem_ops cnv_problem_mlp;
extern const struct cnv_problem_ops cnv_problem_noisy_quadratic;
extern const struct cnv_problem_ops cnv_problem_noisy_skewed;
extern const struct cnv_problem_ops cnv_problem_quadratic;
extern const struct cnv_problem_ops cnv_problem_ridge;
extern const struct cnv_problem_ops cnv_problem_softmax;

static const struct cnv_problem_ops *const problems[] = {
    &cnv_problem_logistic,     &cnv_problem_mlp,       &cnv_problem_noisy_quadratic,
    &cnv_problem_noisy_skewed, &cnv_problem_quadratic, &cnv_problem_ridge,
    &cnv_problem_softmax,
};

enum { BUILT_IN = sizeof(problems) / sizeof(problems[0]) };

const struct cnv_problem_ops *cnv_problem_at(size_t i)
{
    return i < BUILT_IN ? problems[i] : cnv_problem_adopted(i - BUILT_IN);
}

const struct cnv_problem_ops *cnv_problem_find(const char *name)
{
    for (size_t i = 0; cnv_problem_at(i) != NULL; i++) {
        if (strcmp(cnv_problem_at(i)->name, name) == 0) {
            return cnv_problem_at(i);
        }
    }
    return NULL;
}

enum cnv_status cnv_problem_new(const char *name,
                                const struct cnv_problem_setup *setup,
                                struct cnv_problem **ret_problem,
                                struct cnv_error *err)
{
    const struct cnv_problem_ops *ops = cnv_problem_find(name);
    struct cnv_problem *problem = NULL;

    if (ops == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "there is no problem named \"%s\"", name);
    }
    problem = cnv_object_new(struct cnv_problem);
    if (problem != NULL) {
        problem->state = cnv_array_new(1, ops->state_size);
    }
    if (problem == NULL || problem->state == NULL) {
        cnv_free(problem);
        return cnv_fail(err, CNV_E_NOMEM, "problem %s", name);
    }
    problem->ops = ops;
    enum cnv_status status = ops->init(problem->state, setup, err);
    if (status != CNV_OK) {
        cnv_problem_destroy(problem);
        return status;
    }
    problem->dimension = ops->dimension(problem->state);
    problem->rows = setup->shard->rows;
    *ret_problem = problem;
    return CNV_OK;
}

void cnv_problem_destroy(struct cnv_problem *problem)
{
    if (problem != NULL) {
        problem->ops->fini(problem->state);
        cnv_free(problem->state);
        cnv_free(problem);
    }
}
