/*
 * budget.c - as many rounds as the traffic allowed pays for: L grows or falls to keep within it.
 *
 * policy/budget-bytes: B for the whole run of T = run/iterations local steps. A round costs b, as
 * the last one did; what is committed now and the last evaluation are still to be sent, which is
 * less than one more. So R = floor((B - sent - b) / b) rounds are left for the T - k steps left,
 * and L := ceil((T - k) / R). Where R is 0, all the steps left are one round. The first round is
 * counted with what joining took: too much, and so within the budget.
 *
 * policy/budget-rate: r bytes a second. The last round sent b bytes in t seconds with L steps, so
 * with steps as long as those L := ceil(L b / (t r)); at most twice, at least half the last L, for
 * one slow round says little.
 *
 * Where both are set the larger L holds. L is never below policy/local-steps, which is where it
 * starts, nor above policy/max-local-steps, except for the round that ends a spent budget. Bytes
 * are whole messages both ways, all agents. What the clock decided is in the reason.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "saved.h"

/* Written by save, in little-endian order: L (4 bytes), bytes (8), seconds (8, IEEE 754). */
enum { BUDGET_SAVED_SIZE = 20, BUDGET_WORDS_SIZE = 96 };

struct budget_state {
    double bytes; /* of the run; 0: no limit */
    double rate;  /* a second; 0: no limit */
    double steps; /* of the run */
    double least;
    double most;

    double local_steps;
    double sent;    /* when the round before was decided */
    double seconds; /* the same */
};

static enum cnv_status
budget_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct budget_state *state = memory;

    state->bytes = (double) cnv_config_integer(config, "policy/budget-bytes");
    state->rate = cnv_config_real(config, "policy/budget-rate");
    state->steps = (double) cnv_config_integer(config, "run/iterations");
    state->most = (double) cnv_config_integer(config, "policy/max-local-steps");
    state->least = fmin((double) cnv_config_integer(config, "policy/local-steps"), state->most);
    state->local_steps = state->least;
    if (state->bytes == 0.0 && state->rate == 0.0) {
        return cnv_fail(
            err, CNV_E_INPUT, "policy/kind=budget needs policy/budget-bytes or policy/budget-rate");
    }
    if (state->bytes > 0.0 && state->steps == 0.0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "policy/budget-bytes=%.0f needs run/iterations, to divide it among",
                        state->bytes);
    }
    return CNV_OK;
}

static double within(const struct budget_state *state, double steps)
{
    return fmax(state->least, fmin(steps, state->most));
}

/* The L that the bytes left pay for. */
static double by_bytes(const struct budget_state *state,
                       const struct cnv_round_view *view,
                       double cost,
                       char *words,
                       size_t size)
{
    double left = state->bytes - (double) view->bytes;
    double rounds = floor((left - cost) / cost);
    double steps = state->steps - (double) view->iteration;

    if (rounds < 1.0) {
        (void) snprintf(words,
                        size,
                        "%.3g of %.3g bytes left, a round costs %.3g: all in one",
                        fmax(left, 0.0),
                        state->bytes,
                        cost);
        return fmax(steps, 1.0);
    }
    (void) snprintf(words,
                    size,
                    "%.3g of %.3g bytes left for %.0f steps, a round costs %.3g",
                    left,
                    state->bytes,
                    fmax(steps, 0.0),
                    cost);
    return within(state, ceil(steps / rounds));
}

/* The L at which rounds send as much a second as is allowed. */
static double by_rate(const struct budget_state *state,
                      const struct cnv_round_view *view,
                      double cost,
                      char *words,
                      size_t size)
{
    double seconds = view->seconds - state->seconds;
    double steps = state->local_steps;

    if (seconds > 0.0) {
        double wanted = ceil(steps * cost / (seconds * state->rate));

        steps = fmax(ceil(steps / 2.0), fmin(wanted, 2.0 * steps));
        (void) snprintf(words,
                        size,
                        "the last round sent %.3g bytes/s, allowed are %.3g",
                        cost / seconds,
                        state->rate);
    } else {
        (void) snprintf(words, size, "the last round took no time");
    }
    return within(state, steps);
}

static void
budget_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    struct budget_state *state = memory;
    double cost = (double) view->bytes - state->sent;
    double before = state->local_steps;
    char words[BUDGET_WORDS_SIZE] = "to begin with";

    if (view->round > 0 && cost > 0.0) {
        double steps = state->least;

        if (state->bytes > 0.0) {
            steps = by_bytes(state, view, cost, words, sizeof(words));
        }
        if (state->rate > 0.0) {
            char others[BUDGET_WORDS_SIZE];
            double other = by_rate(state, view, cost, others, sizeof(others));

            if (other > steps || state->bytes == 0.0) {
                steps = other;
                memcpy(words, others, sizeof(words));
            }
        }
        state->local_steps = fmin(steps, UINT32_MAX);
        state->sent = (double) view->bytes;
        state->seconds = view->seconds;
    }
    decision->local_steps = (uint32_t) state->local_steps;
    if (state->local_steps != before) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L %.0f -> %.0f: %s",
                        before,
                        state->local_steps,
                        words);
    } else {
        (void) snprintf(
            decision->reason, sizeof(decision->reason), "L stays %.0f: %s", before, words);
    }
}

static size_t budget_save(const void *memory, uint8_t *bytes, size_t size)
{
    const struct budget_state *state = memory;
    uint64_t seconds = 0;

    if (size >= BUDGET_SAVED_SIZE) {
        memcpy(&seconds, &state->seconds, sizeof(seconds));
        cnv_saved_put(bytes, 4, (uint64_t) state->local_steps);
        cnv_saved_put(bytes + 4, 8, (uint64_t) state->sent);
        cnv_saved_put(bytes + 12, 8, seconds);
    }
    return BUDGET_SAVED_SIZE;
}

static enum cnv_status
budget_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    struct budget_state *state = memory;
    double seconds = 0.0;

    if (size != BUDGET_SAVED_SIZE) {
        return cnv_fail(err,
                        CNV_E_SIZE,
                        "state of policy budget has %zu bytes, not %d",
                        size,
                        BUDGET_SAVED_SIZE);
    }
    uint64_t steps = cnv_saved_get(bytes, 4);
    uint64_t image = cnv_saved_get(bytes + 12, 8);
    memcpy(&seconds, &image, sizeof(seconds));
    if (steps == 0 || !(seconds >= 0.0) || !isfinite(seconds)) {
        return cnv_fail(err, CNV_E_MALFORMED, "state of policy budget is damaged");
    }
    state->local_steps = (double) steps;
    state->sent = (double) cnv_saved_get(bytes + 4, 8);
    state->seconds = seconds;
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_budget = {
    .name = "budget",
    .text = "L follows from the bytes that a run, or a second, may cost",
    .paper = "of convene's own",
    .keys = "policy/budget-bytes policy/budget-rate policy/local-steps policy/max-local-steps "
            "run/iterations",
    .state_size = sizeof(struct budget_state),
    .init = budget_init,
    .fini = NULL,
    .decide = budget_decide,
    .save = budget_save,
    .load = budget_load,
};
