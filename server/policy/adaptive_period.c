/*
 * adaptive_period.c - average as often as the spread of the models asks for: ADPSGD.
 *
 * Averaging pays by what it takes away: the variance S of the models just before they are averaged.
 * Convergence stands it as long as S stays in proportion to the step size gamma. So: sample the
 * mean C2 of S / gamma while the period p is p_init, then hold S near gamma C2 by one local step
 * more or fewer. A smaller gamma asks for a longer period; early rounds, where S is large, for a
 * shorter one. Source: Jiang and Agrawal 2020 (arXiv 2007.06134).
 *
 *   k < warm-up               L = 1, nothing is sampled
 *   k < sample * iterations   L = p_init;  C2 := mean of S / gamma so far
 *   after it                  S < low gamma C2: p + 1    S > high gamma C2: p - 1 (not below 1)
 *
 * sample * iterations is the paper's K_s. k counts local steps of the run after the round, gamma is
 * that of its last local step. A round that a member is missing from is not sampled; S of a single
 * contribution says nothing. Invariants: 1 <= p <= policy/max-local-steps; C2 is finite and not
 * negative.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/schedule.h"
#include "registry.h"
#include "saved.h"

/* Written by save, in little-endian order: p (4 bytes), samples (8), C2 (8). */
enum { PERIOD_SAVED_SIZE = 20, PERIOD_WORDS_SIZE = 128 };

struct period_state {
    struct cnv_schedule schedule;
    double low;
    double high;
    uint64_t sample_until; /* iteration */
    uint64_t warm_up;      /* iterations */
    uint32_t longest;
    size_t agents;

    uint32_t period;
    double target; /* C2 */
    uint64_t samples;
};

static enum cnv_status
period_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct period_state *state = memory;
    double iterations = (double) cnv_config_integer(config, "run/iterations");
    int64_t period = cnv_config_integer(config, "policy/period");
    int64_t longest = cnv_config_integer(config, "policy/max-local-steps");

    state->low = cnv_config_real(config, "policy/band-low");
    state->high = cnv_config_real(config, "policy/band-high");
    state->sample_until = (uint64_t) (iterations * cnv_config_real(config, "policy/sample"));
    state->warm_up = (uint64_t) cnv_config_integer(config, "policy/warm-up");
    state->agents = (size_t) cnv_config_integer(config, "run/agents");
    state->longest = (uint32_t) longest;
    state->period = (uint32_t) (period < longest ? period : longest);
    return cnv_schedule_read(config, &state->schedule, err);
}

/* A round of p_init local steps, every member in it, enters the mean. */
static void period_sample(struct period_state *state,
                          const struct cnv_round_view *view,
                          double ratio,
                          char *words,
                          size_t size)
{
    if (view->contributors < state->agents) {
        (void) snprintf(words,
                        size,
                        "not sampled, %zu of %zu agents contributed",
                        view->contributors,
                        state->agents);
        return;
    }
    state->target += (ratio - state->target) / (double) (state->samples + 1);
    state->samples++;
    (void) snprintf(words,
                    size,
                    "sample %llu, S/gamma %.3g, mean C2 %.3g",
                    (unsigned long long) state->samples,
                    ratio,
                    state->target);
}

/* One more, one fewer, or as it is. */
static void
period_steer(struct period_state *state, double variance, double gamma, char *words, size_t size)
{
    double aim = gamma * state->target;

    if (state->target <= 0) {
        (void) snprintf(words, size, "C2 is 0, all sampled models were alike");
    } else if (variance < state->low * aim) {
        state->period += state->period < state->longest ? 1 : 0;
        (void) snprintf(
            words, size, "S %.3g < %.3g (%g gamma C2)", variance, state->low * aim, state->low);
    } else if (variance > state->high * aim) {
        state->period -= state->period > 1 ? 1 : 0;
        (void) snprintf(
            words, size, "S %.3g > %.3g (%g gamma C2)", variance, state->high * aim, state->high);
    } else {
        (void) snprintf(words,
                        size,
                        "S %.3g is %.2f of gamma C2, within %g to %g",
                        variance,
                        variance / aim,
                        state->low,
                        state->high);
    }
}

/* What the round just committed says about the next period, in words. */
static void period_learn(struct period_state *state,
                         const struct cnv_round_view *view,
                         char *words,
                         size_t size)
{
    double gamma = cnv_schedule_step(&state->schedule, view->iteration - 1);

    if (view->iteration - view->local_steps < state->warm_up) {
        (void) snprintf(words, size, "warm-up is over");
    } else if (view->contributors < 2 || !isfinite(view->variance)) {
        (void) snprintf(
            words, size, "no variance to learn from, %zu contributed", view->contributors);
    } else if (view->iteration < state->sample_until || state->samples == 0) {
        period_sample(state, view, view->variance / gamma, words, size);
    } else {
        period_steer(state, view->variance, gamma, words, size);
    }
}

static void
period_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    struct period_state *state = memory;
    uint32_t before = state->period;
    char words[PERIOD_WORDS_SIZE];

    if (view->iteration < state->warm_up) {
        decision->local_steps = 1;
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L = 1 for the first %llu iterations (warm-up)",
                        (unsigned long long) state->warm_up);
        return;
    }
    if (view->round == 0) {
        (void) snprintf(words, sizeof(words), "to begin with");
    } else {
        period_learn(state, view, words, sizeof(words));
    }
    decision->local_steps = state->period;
    if (state->period != before) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L %u -> %u: %s",
                        before,
                        state->period,
                        words);
    } else {
        (void) snprintf(
            decision->reason, sizeof(decision->reason), "L stays %u: %s", before, words);
    }
}

static size_t period_save(const void *memory, uint8_t *bytes, size_t size)
{
    const struct period_state *state = memory;
    uint64_t target = 0;

    if (size >= PERIOD_SAVED_SIZE) {
        memcpy(&target, &state->target, sizeof(target));
        cnv_saved_put(bytes, 4, state->period);
        cnv_saved_put(bytes + 4, 8, state->samples);
        cnv_saved_put(bytes + 12, 8, target);
    }
    return PERIOD_SAVED_SIZE;
}

static enum cnv_status
period_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct period_state *state = memory;
    double target = 0;

    if (size != PERIOD_SAVED_SIZE) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of policy adaptive-period has %zu bytes, not %d",
                        size,
                        PERIOD_SAVED_SIZE);
    }
    uint32_t period = (uint32_t) cnv_saved_get(bytes, 4);
    uint64_t image = cnv_saved_get(bytes + 12, 8);
    memcpy(&target, &image, sizeof(target));
    if (period == 0 || !(target >= 0) || !isfinite(target)) {
        return cnv_fail(err, CNV_E_MALFORMED, "state of policy adaptive-period is damaged");
    }
    state->period = period;
    state->samples = cnv_saved_get(bytes + 4, 8);
    state->target = target;
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_adaptive_period = {
    .name = "adaptive-period",
    .text = "longer or shorter rounds, so that the variance of the models stays in proportion to "
            "the step size; needs run/iterations",
    .paper = "Jiang and Agrawal 2020, ADPSGD (arXiv 2007.06134)",
    .keys = "policy/period policy/max-local-steps policy/band-low policy/band-high policy/sample "
            "policy/warm-up run/agents " CNV_SCHEDULE_KEYS,
    .state_size = sizeof(struct period_state),
    .init = period_init,
    .fini = NULL,
    .decide = period_decide,
    .save = period_save,
    .load = period_load,
};
