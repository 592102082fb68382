/*
 * fixed.c - the same number of local steps in every round: periodic averaging.
 *
 * The policy every other one is compared with. It has no state, so nothing is saved.
 *
 * With GIANT the first round may be another: policy/local-start Newton steps on the local
 * objectives, whose models are averaged. That is the start which its authors offer (Wang et al.
 * 2018), with Newton where they take SVRG (logistic) or conjugate gradients (least squares, which
 * one step solves).
 */
#include <stdio.h>
#include <string.h>

#include "registry.h"

struct fixed_state {
    uint32_t local_steps;
    uint32_t local_start; /* 0: none */
};

static enum cnv_status
fixed_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct fixed_state *state = memory;
    int64_t steps = cnv_config_integer(config, "policy/local-steps");
    int64_t most = cnv_config_integer(config, "policy/max-local-steps");

    (void) err;
    state->local_steps = (uint32_t) (steps < most ? steps : most);
    state->local_start = (uint32_t) cnv_config_integer(config, "policy/local-start");
    return CNV_OK;
}

static void
fixed_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    const struct fixed_state *state = memory;

    if (view->iteration == 0 && state->local_start > 0 && strcmp(decision->solver, "giant") == 0) {
        decision->local_steps = state->local_start;
        (void) snprintf(decision->solver, sizeof(decision->solver), "newton");
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "giant starts from the average after %u local Newton steps",
                        state->local_start);
        return;
    }
    decision->local_steps = state->local_steps;
    (void) snprintf(
        decision->reason, sizeof(decision->reason), "L = %u in every round", state->local_steps);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
static size_t fixed_save(const void *memory, uint8_t *bytes, size_t size)
{
    (void) memory;
    (void) bytes;
    (void) size;
    return 0;
}

static enum cnv_status
fixed_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    (void) memory;
    (void) bytes;
    if (size != 0) {
        return cnv_fail(err, CNV_E_SIZE, "state of policy fixed has %zu bytes, not 0", size);
    }
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_fixed = {
    .name = "fixed",
    .text = "the same number of local steps in every round",
    .paper = "Gupta et al. 2021, LocalNewton, Algorithm 1",
    .keys = "policy/local-steps policy/max-local-steps policy/local-start",
    .state_size = sizeof(struct fixed_state),
    .init = fixed_init,
    .fini = NULL,
    .decide = fixed_decide,
    .save = fixed_save,
    .load = fixed_load,
};
