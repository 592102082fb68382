/*
 * growing.c - rounds at iterations that are known from the start: intervals that grow, and those
 * they are compared with.
 *
 * Spiridonoff, Olshevsky and Paschalidis 2021. With T local
 * steps in R rounds the models are averaged after local step tau_r, r = 1 .. R:
 *
 *   increasing  tau_r = floor(a r (r + 1) / 2), a = 2 T / (R (R + 1)): lengths a, 2 a, ..., R a
 *   constant    tau_r = floor(T r / R)
 *   decreasing  T - tau of increasing, in reverse: lengths R a, ..., 2 a, a
 *   unending    increasing with a = policy/growth; T need not be known
 *   stich       every floor(sqrt(T / N)) steps          (Stich 2019)
 *   hkmc        every floor((T^2 / N)^(1/3)) steps      (Haddadpour et al. 2019, LUPA-SGD)
 *
 * One-shot averaging is one round of T steps (the same paper). All are exact:
 * policy/max-local-steps does not hold for them. A decision depends on the iteration alone, so
 * there is nothing to save, and a run that lost its server goes on in step.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "registry.h"

enum { ROUNDS_MAX = 65535 }; /* R (R + 1) < 2^32, see share */

enum interval { INCREASING, CONSTANT, DECREASING, UNENDING, EVERY };

struct growing_state {
    const char *name; /* of the schedule, as configured */
    enum interval interval;
    uint64_t steps;  /* T; 0: unknown */
    uint64_t rounds; /* R */
    uint64_t every;  /* EVERY: so many steps */
    double growth;   /* UNENDING: a */
};

static const struct {
    const char *name;
    enum interval interval;
} schedules[] = {
    { "increasing", INCREASING }, { "constant", CONSTANT }, { "decreasing", DECREASING },
    { "unending", UNENDING },     { "stich", EVERY },       { "hkmc", EVERY },
};

static enum cnv_status
growing_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct growing_state *state = memory;
    const char *name = cnv_config_text(config, "policy/schedule");
    double agents = (double) cnv_config_integer(config, "run/agents");
    double steps = (double) cnv_config_integer(config, "run/iterations");
    uint64_t most = (uint64_t) cnv_config_integer(config, "run/rounds");
    double every = strcmp(name, "stich") == 0 ? sqrt(steps / agents) : cbrt(steps * steps / agents);

    for (size_t i = 0; i < sizeof(schedules) / sizeof(schedules[0]); i++) {
        if (strcmp(schedules[i].name, name) == 0) {
            state->name = schedules[i].name;
            state->interval = schedules[i].interval;
        }
    }
    state->steps = (uint64_t) steps;
    state->growth = cnv_config_real(config, "policy/growth");
    state->rounds = (uint64_t) cnv_config_integer(config, "policy/rounds");
    state->every = every < 1.0 ? 1 : (uint64_t) every;
    if (state->rounds == 0) {
        state->rounds = (uint64_t) fmin(agents, ROUNDS_MAX);
    }
    if (state->steps == 0 && state->interval != UNENDING) {
        return cnv_fail(err, CNV_E_INPUT, "policy/schedule=%s needs run/iterations", name);
    }
    if (most > 0 && most < state->rounds && state->interval <= DECREASING) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "run/rounds=%llu ends the run before the %llu rounds of policy/schedule=%s "
                        "(0: no limit)",
                        (unsigned long long) most,
                        (unsigned long long) state->rounds,
                        name);
    }
    return CNV_OK;
}

/* floor(t m / d) for m <= d < 2^32, without leaving 64 bits. */
static uint64_t share(uint64_t t, uint64_t m, uint64_t d)
{
    return t / d * m + t % d * m / d;
}

/* tau_r; 0 for r = 0. */
static uint64_t sync_point(const struct growing_state *state, uint64_t r)
{
    uint64_t rounds = state->rounds;

    switch (state->interval) {
    case INCREASING:
        return share(state->steps, r * (r + 1), rounds * (rounds + 1));
    case CONSTANT:
        return share(state->steps, r, rounds);
    case DECREASING:
        return state->steps -
               share(state->steps, (rounds - r) * (rounds - r + 1), rounds * (rounds + 1));
    case UNENDING:
        return (uint64_t) (state->growth * (double) r * (double) (r + 1) / 2.0);
    case EVERY:
        break;
    }
    return r * state->every;
}

/* The first r whose tau_r lies behind the iteration. Points may coincide where R is large. */
static uint64_t next_round(const struct growing_state *state, uint64_t iteration)
{
    uint64_t low = 0; /* tau_low <= iteration */
    uint64_t high = 1;

    while (sync_point(state, high) <= iteration) {
        low = high;
        high *= 2;
        if (state->interval <= DECREASING && high > state->rounds) {
            high = state->rounds;
        }
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (sync_point(state, middle) <= iteration) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static void
growing_decide(void *memory, const struct cnv_round_view *view, struct cnv_decision *decision)
{
    const struct growing_state *state = memory;
    bool is_over = state->steps > 0 && view->iteration >= state->steps;
    uint64_t round = is_over ? 0 : next_round(state, view->iteration);
    uint64_t point = is_over ? view->iteration + 1 : sync_point(state, round);

    if (state->steps > 0 && !is_over && point > state->steps) {
        point = state->steps;
    }
    uint64_t length = point - view->iteration;

    decision->local_steps = length < UINT32_MAX ? (uint32_t) length : UINT32_MAX;
    if (is_over) {
        (void) snprintf(decision->reason,
                        sizeof(decision->reason),
                        "L = 1: the schedule ended at iteration %llu",
                        (unsigned long long) state->steps);
        return;
    }
    (void) snprintf(decision->reason,
                    sizeof(decision->reason),
                    "L = %u up to iteration %llu, number %llu of the %s schedule",
                    decision->local_steps,
                    (unsigned long long) point,
                    (unsigned long long) round,
                    state->name);
}

static enum cnv_status
one_shot_init(void *memory, const struct cnv_config *config, struct cnv_error *err)
{
    struct growing_state *state = memory;

    state->name = "one-shot";
    state->interval = CONSTANT;
    state->rounds = 1;
    state->steps = (uint64_t) cnv_config_integer(config, "run/iterations");
    if (state->steps == 0) {
        return cnv_fail(err, CNV_E_INPUT, "policy/kind=one-shot needs run/iterations");
    }
    return CNV_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
static size_t growing_save(const void *memory, uint8_t *bytes, size_t size)
{
    (void) memory;
    (void) bytes;
    (void) size;
    return 0;
}

static enum cnv_status
growing_load(void *memory, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    const struct growing_state *state = memory;

    (void) bytes;
    if (size != 0) {
        return cnv_fail(
            err, CNV_E_SIZE, "state of schedule %s has %zu bytes, not 0", state->name, size);
    }
    return CNV_OK;
}

const struct cnv_policy_ops cnv_policy_growing = {
    .name = "growing",
    .text = "rounds that grow longer by the same each time, or another schedule that is known from "
            "the start",
    .paper = "Spiridonoff, Olshevsky and Paschalidis 2021 (arXiv 2106.04759)",
    .keys = "policy/schedule policy/rounds policy/growth run/agents run/iterations run/rounds",
    .state_size = sizeof(struct growing_state),
    .init = growing_init,
    .fini = NULL,
    .decide = growing_decide,
    .save = growing_save,
    .load = growing_load,
};

const struct cnv_policy_ops cnv_policy_one_shot = {
    .name = "one-shot",
    .text = "one round of run/iterations local steps: for convex problems",
    .paper = "Spiridonoff, Olshevsky and Paschalidis 2021, one-shot averaging",
    .keys = "run/iterations",
    .state_size = sizeof(struct growing_state),
    .init = one_shot_init,
    .fini = NULL,
    .decide = growing_decide,
    .save = growing_save,
    .load = growing_load,
};
