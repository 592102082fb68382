/*
 * adaptive_l.c - fewer local steps as soon as they stop paying, and GIANT in the end.
 *
 * Adaptive LocalNewton: begin with L local steps; when a round lowers the global loss by less than
 * delta (also when it raises it), take one fewer from the next round on; where L is 1 already, the
 * solver becomes GIANT and stays it. An average that made things worse is kept, as in the paper.
 * Source: Gupta et al. 2021, Algorithm 2.
 *
 * Two readings of delta, whose value the paper does not give:
 *   a number  the text: compare losses. The loss at a model comes with the contributions of the
 *             round that starts from it, so the decision lags one round behind the paper's.
 *   inf       the plotted runs: L falls after every round (3, 2, 1, GIANT). Needs no loss, no lag.
 *
 *   L = n --small--> L = n-1 --small--> ... --small--> L = 1 --small--> giant
 */
#include <math.h>
#include <stdio.h>

#include "registry.h"

/* Written by save: L in little-endian order, then whether the solver is GIANT. */
enum { ADAPTIVE_SAVED_SIZE = 5 };

struct adaptive_state {
    double delta;
    uint32_t local_steps;
    bool is_giant;
};

static enum cnv_status
adaptive_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct adaptive_state *state = memory;
    int64_t steps = cnv_config_integer(config, "policy/local-steps");
    int64_t most = cnv_config_integer(config, "policy/max-local-steps");

    (void) err;
    state->delta = cnv_config_real(config, "policy/delta");
    state->local_steps = (uint32_t) (steps < most ? steps : most);
    return CNV_OK;
}

/* What the round showed, in words; returns whether it is time for fewer local steps. */
static bool adaptive_judge(const struct adaptive_state *state,
                           const struct cnv_round_view *view,
                           char *words,
                           size_t size)
{
    double fell = view->previous_loss - view->loss;

    if (isinf(state->delta)) {
        (void) snprintf(words, size, "delta is infinite, one fewer after every round");
        return true;
    }
    if (isnan(fell)) {
        (void) snprintf(words, size, "no two losses of the same members to compare yet");
        return false;
    }
    if (fell < 0) {
        (void) snprintf(words, size, "loss rose by %.1e", -fell);
        return true;
    }
    bool is_small = fell < state->delta;
    (void) snprintf(words,
                    size,
                    "loss fell by %.1e, %s %.1e",
                    fell,
                    is_small ? "less than" : "at least",
                    state->delta);
    return is_small;
}

static void
adaptive_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    struct adaptive_state *state = memory;
    uint32_t before = state->local_steps;
    char words[96];

    decision->evaluate = true;
    if (view->round == 0) {
        decision->local_steps = before;
        (void) snprintf(decision->reason, sizeof(decision->reason), "L = %u to begin with", before);
        return;
    }
    bool is_small = adaptive_judge(state, view, words, sizeof(words));
    if (state->is_giant) {
        (void) snprintf(decision->reason, sizeof(decision->reason), "giant to the end");
    } else if (!is_small) {
        (void) snprintf(
            decision->reason, sizeof(decision->reason), "L stays %u: %s", before, words);
    } else if (before > 1) {
        state->local_steps = before - 1;
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L %u -> %u: %s",
                        before,
                        before - 1,
                        words);
    } else {
        state->is_giant = true;
        (void) snprintf(decision->reason, sizeof(decision->reason), "L 1 -> giant: %s", words);
    }
    decision->local_steps = state->local_steps;
    if (state->is_giant) {
        (void) snprintf(decision->solver, sizeof(decision->solver), "giant");
    }
}

static size_t adaptive_save(const void *memory, uint8_t *bytes, size_t size)
{
    const struct adaptive_state *state = memory;

    if (size >= ADAPTIVE_SAVED_SIZE) {
        for (unsigned i = 0; i < 4; i++) {
            bytes[i] = (uint8_t) (state->local_steps >> 8 * i);
        }
        bytes[4] = state->is_giant ? 1 : 0;
    }
    return ADAPTIVE_SAVED_SIZE;
}

static enum cnv_status
adaptive_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct adaptive_state *state = memory;
    uint32_t steps = 0;

    if (size != ADAPTIVE_SAVED_SIZE) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of policy adaptive-l has %zu bytes, not %d",
                        size,
                        ADAPTIVE_SAVED_SIZE);
    }
    for (unsigned i = 0; i < 4; i++) {
        steps |= (uint32_t) bytes[i] << 8 * i;
    }
    if (steps == 0 || bytes[4] > 1) {
        return cnv_fail(err, CNV_E_MALFORMED, "state of policy adaptive-l is damaged");
    }
    state->local_steps = steps;
    state->is_giant = bytes[4] == 1;
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_adaptive_l = {
    .name = "adaptive-l",
    .text = "one local step fewer when the loss falls by less than policy/delta; then giant",
    .paper = "Gupta et al. 2021, LocalNewton, Algorithm 2",
    .keys = "policy/local-steps policy/max-local-steps policy/delta",
    .state_size = sizeof(struct adaptive_state),
    .init = adaptive_init,
    .fini = NULL,
    .decide = adaptive_decide,
    .save = adaptive_save,
    .load = adaptive_load,
};
