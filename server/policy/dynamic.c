/*
 * dynamic.c - average when the models have come apart, not before: dynamic averaging (FDA).
 *
 * Every c local steps the members say by a few numbers how far they have moved; their means bound
 * the model variance S from above (monitor.c). While the bound is at most Theta they go on alone.
 * So S never passes Theta unseen, and what is averaged has become worth averaging.
 * Source: Theologitis et al. 2025 (arXiv 2405.20988), FDA; Theta by itself: FDA-Opt.
 *
 *   policy/threshold > 0    Theta is that
 *   policy/threshold = 0    E = one pass over the shard, in local steps
 *     round 1               E steps, nothing is watched
 *     after a round of      Theta := (5 E / H) S: where S grows with the steps, the next round will
 *       H steps with S      be of five passes; at most ten
 *
 * No round is longer than policy/max-local-steps. S of a single contribution says nothing.
 * Invariant: Theta is positive; infinite until it is known.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/monitor.h"
#include "registry.h"

enum {
    DYNAMIC_SAVED_SIZE = 8,   /* Theta, little-endian */
    DYNAMIC_PASSES_MOST = 10, /* of a round, where Theta is learnt */
    DYNAMIC_PASSES_WANTED = 5,
    DYNAMIC_WORDS_SIZE = 80,
};

struct dynamic_state {
    char monitor[CNV_MONITOR_SIZE];
    uint32_t check_every;
    uint32_t longest;
    uint64_t batch; /* rows; 0: the whole shard */
    uint64_t agents;
    bool is_learnt; /* Theta is */
    double threshold;
};

static enum cnv_status
dynamic_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct dynamic_state *state = memory;
    double threshold = cnv_config_real(config, "policy/threshold");

    (void) err;
    (void) snprintf(
        state->monitor, sizeof(state->monitor), "%s", cnv_config_text(config, "policy/monitor"));
    state->check_every = (uint32_t) cnv_config_integer(config, "policy/check-every");
    state->longest = (uint32_t) cnv_config_integer(config, "policy/max-local-steps");
    state->batch = (uint64_t) cnv_config_integer(config, "solver/batch");
    state->agents = (uint64_t) cnv_config_integer(config, "run/agents");
    state->is_learnt = threshold == 0;
    state->threshold = state->is_learnt ? INFINITY : threshold;
    return CNV_OK;
}

/* Local steps of one pass over a shard, of the mean size. */
static uint64_t dynamic_pass(const struct dynamic_state *state, uint64_t rows)
{
    uint64_t a_step = state->batch * state->agents;

    return a_step == 0 || rows <= a_step ? 1 : (rows - 1) / a_step + 1;
}

static void dynamic_learn(struct dynamic_state *state, const struct cnv_round_view *view)
{
    double pass = (double) dynamic_pass(state, view->rows);
    double threshold = DYNAMIC_PASSES_WANTED * pass / view->local_steps * view->variance;

    if (view->contributors > 1 && threshold > 0 && isfinite(threshold)) {
        state->threshold = threshold;
    }
}

/* What ended the round, in words. */
static void
dynamic_explain(const struct dynamic_state *state, const struct cnv_round_view *view, char *text)
{
    if (view->round == 0) {
        (void) snprintf(text, DYNAMIC_WORDS_SIZE, "to begin with");
    } else if (isnan(view->estimate)) {
        (void) snprintf(text,
                        DYNAMIC_WORDS_SIZE,
                        "L was %u, S %.3g at its end",
                        view->local_steps,
                        view->variance);
    } else {
        (void) snprintf(text,
                        DYNAMIC_WORDS_SIZE,
                        "L was %u, %s said %.5g of S %.5g",
                        view->local_steps,
                        state->monitor,
                        view->estimate,
                        view->variance);
    }
}

static void
dynamic_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    struct dynamic_state *state = memory;
    uint64_t pass = dynamic_pass(state, view->rows);
    char words[DYNAMIC_WORDS_SIZE];

    dynamic_explain(state, view, words);
    decision->local_steps = state->longest;
    if (state->is_learnt) {
        if (view->round > 0) {
            dynamic_learn(state, view);
        }
        uint64_t most = isinf(state->threshold) ? pass : DYNAMIC_PASSES_MOST * pass;
        decision->local_steps = most < state->longest ? (uint32_t) most : state->longest;
    }
    if (isinf(state->threshold)) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L = %u, one pass, to learn Theta from: %s",
                        decision->local_steps,
                        words);
        return;
    }
    decision->check_every = state->check_every;
    memcpy(decision->monitor, state->monitor, sizeof(decision->monitor));
    (void) snprintf(decision->reason,
                    sizeof(decision->reason),
                    "until S may pass Theta %.3g%s: %s",
                    state->threshold,
                    state->is_learnt ? " (learnt)" : "",
                    words);
}

static bool
dynamic_sync_now(const void *memory, const struct cnv_monitor_view *monitor, double *ret_estimate)
{
    const struct dynamic_state *state = memory;

    *ret_estimate = cnv_monitor_estimate(monitor);
    return !(*ret_estimate <= state->threshold); /* what is not known may be more */
}

static size_t dynamic_save(const void *memory, uint8_t *bytes, size_t size)
{
    const struct dynamic_state *state = memory;
    uint64_t image = 0;

    memcpy(&image, &state->threshold, sizeof(image));
    for (size_t i = 0; i < DYNAMIC_SAVED_SIZE && size >= DYNAMIC_SAVED_SIZE; i++) {
        bytes[i] = (uint8_t) (image >> 8 * i);
    }
    return DYNAMIC_SAVED_SIZE;
}

static enum cnv_status
dynamic_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct dynamic_state *state = memory;
    uint64_t image = 0;
    double threshold = 0;

    if (size != DYNAMIC_SAVED_SIZE) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of policy dynamic has %zu bytes, not %d",
                        size,
                        DYNAMIC_SAVED_SIZE);
    }
    for (size_t i = 0; i < DYNAMIC_SAVED_SIZE; i++) {
        image |= (uint64_t) bytes[i] << 8 * i;
    }
    memcpy(&threshold, &image, sizeof(threshold));
    if (!(threshold > 0)) {
        return cnv_fail(err, CNV_E_MALFORMED, "state of policy dynamic is damaged");
    }
    state->threshold = threshold;
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_dynamic = {
    .name = "dynamic",
    .text = "agents go on alone until their models have come apart by more than Theta",
    .paper = "Theologitis et al. 2025, FDA (arXiv 2405.20988); Theta by itself: FDA-Opt",
    .keys =
        "policy/monitor policy/check-every policy/threshold policy/max-local-steps solver/batch "
        "run/agents",
    .state_size = sizeof(struct dynamic_state),
    .init = dynamic_init,
    .fini = NULL,
    .decide = dynamic_decide,
    .sync_now = dynamic_sync_now,
    .save = dynamic_save,
    .load = dynamic_load,
};
