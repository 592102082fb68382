/* check_blocks.c - what methods that draw blocks need of encoding, step and server optimiser. */
#include <string.h>

#include "config/check.h"

/* Solvers that say which blocks of their update are not zero. */
static const char *const block_solvers[] = { "blocks", "ibgd",  "isega",        "isega-raw",
                                             "isgd",   "isaga", "isaga-shared", NULL };

bool cnv_config_draws_blocks(const struct cnv_config *config)
{
    const char *solver = cnv_config_text(config, "solver/kind");
    bool is_one = false;

    for (size_t i = 0; block_solvers[i] != NULL; i++) {
        is_one = is_one || strcmp(solver, block_solvers[i]) == 0;
    }
    return is_one;
}

static enum cnv_status check_encoding(const struct cnv_config *config, struct cnv_error *err)
{
    if (strcmp(cnv_config_text(config, "encoding/up"), "blocks") != 0) {
        return CNV_OK;
    }
    if (!cnv_config_draws_blocks(config)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "encoding/up=blocks needs a solver that draws blocks: solver/kind=%s "
                        "changes every coordinate, solver/kind=blocks does not",
                        cnv_config_text(config, "solver/kind"));
    }
    if (strcmp(cnv_config_text(config, "policy/kind"), "adaptive-l") == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "encoding/up=blocks and policy/kind=adaptive-l, which ends with solver "
                        "giant, do not go together: use policy/kind=fixed");
    }
    return CNV_OK;
}

/* What dynamic needs: agents that can say how far they are from where they began. */
static enum cnv_status check_drift(const struct cnv_config *config, struct cnv_error *err)
{
    if (strcmp(cnv_config_text(config, "policy/kind"), "dynamic") == 0 &&
        cnv_config_draws_blocks(config)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/kind=dynamic does not go with solver/kind=%s: of the drift only "
                        "some blocks would be seen",
                        cnv_config_text(config, "solver/kind"));
    }
    return CNV_OK;
}

/* What the server's side of asynchronous ISGD needs. */
static enum cnv_status check_async_isgd(const struct cnv_config *config, struct cnv_error *err)
{
    bool is_fit = strcmp(cnv_config_text(config, "sync/mode"), "async") == 0 &&
                  cnv_config_integer(config, "sync/contributions") == 1 &&
                  cnv_config_real(config, "sync/damping") == 0;

    if (strcmp(cnv_config_text(config, "optimiser/kind"), "async-isgd") != 0) {
        return CNV_OK;
    }
    if (!is_fit) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/kind=async-isgd needs sync/mode=async, sync/contributions=1 and "
                        "sync/damping=0: every contribution replaces its agent's last one");
    }
    return CNV_OK;
}

/* What acceleration needs: a gamma that server and agents share. */
static enum cnv_status check_accelerated(const struct cnv_config *config, struct cnv_error *err)
{
    if (strcmp(cnv_config_text(config, "optimiser/kind"), "accelerated") == 0 &&
        cnv_config_draws_blocks(config) &&
        strcmp(cnv_config_text(config, "solver/step-rule"), "given") != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/kind=accelerated needs solver/step-rule=given: the server has "
                        "to know solver/step");
    }
    return CNV_OK;
}

/* What the prox of asynchronous ISGD needs to know: the share of a step that is sent. */
static enum cnv_status check_share(const struct cnv_config *config, struct cnv_error *err)
{
    const char *solver = cnv_config_text(config, "solver/kind");
    int64_t steps = cnv_config_integer(config, "policy/local-steps");
    bool is_known =
        strcmp(solver, "blocks") == 0 || strcmp(solver, "ibgd") == 0 || strcmp(solver, "isgd") == 0;

    if (!is_known || steps != 1) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/kind=async-isgd with optimiser/l1 needs solver/kind=blocks, "
                        "ibgd or isgd and policy/local-steps=1, not %s and %lld",
                        solver,
                        (long long) steps);
    }
    return CNV_OK;
}

/* What an l1 term needs: a server optimiser with a prox, which knows the step. */
static enum cnv_status check_l1(const struct cnv_config *config, struct cnv_error *err)
{
    static const char *const optimisers[] = { "async-isgd", "sega", "sega-table" };
    const char *optimiser = cnv_config_text(config, "optimiser/kind");
    double l1 = cnv_config_real(config, "optimiser/l1");
    bool has_prox = false;

    for (size_t i = 0; i < sizeof(optimisers) / sizeof(optimisers[0]); i++) {
        has_prox |= strcmp(optimiser, optimisers[i]) == 0;
    }
    if (l1 > 0 && !has_prox) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/l1=%g does not go with optimiser/kind=%s but with async-isgd, "
                        "sega and sega-table, which have a prox",
                        l1,
                        optimiser);
    }
    if (l1 > 0 && strcmp(cnv_config_text(config, "solver/step-rule"), "given") != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "optimiser/l1=%g needs solver/step-rule=given: the server has to know "
                        "solver/step",
                        l1);
    }
    return l1 > 0 && strcmp(optimiser, "async-isgd") == 0 ? check_share(config, err) : CNV_OK;
}

enum cnv_status cnv_config_check_blocks(const struct cnv_config *config, struct cnv_error *err)
{
    enum cnv_status status = check_encoding(config, err);

    if (status == CNV_OK) {
        status = check_drift(config, err);
    }
    if (status == CNV_OK) {
        status = check_async_isgd(config, err);
    }
    if (status == CNV_OK) {
        status = check_accelerated(config, err);
    }
    return status == CNV_OK ? check_l1(config, err) : status;
}
