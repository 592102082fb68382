/*
 * smoothness.c - L of the run, which step sizes of the methods that draw blocks follow from.
 *
 * With the weights p_i of the mean the n members minimise (1/n) sum_i (n p_i) f_i; so L is the
 * largest n p_i L_i of those that open round 1 (Mishchenko et al. 2020 have equal shards, where n
 * p_i is 1). Where nobody is waited for, an update comes alone and nobody is weighed against
 * others. Invariants: fixed once and the same for all, whoever joins or comes back later;
 * solver/smoothness, where it is given, takes its place; not known (0) if one of the members does
 * not say its own.
 */
#include "engine/smoothness.h"

#include <stdio.h>

#include "base/mem.h"
#include "internal.h"

/* What is behind each member, in the order of engine->members, and how many there are. */
static size_t smoothness_gather(const struct cnv_engine *engine,
                                const struct cnv_member **members,
                                struct cnv_contributor *contributors)
{
    uint64_t most = engine->settings.samples_max;
    size_t n = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        if (member->state == CNV_MEMBER_READY && !member->is_follower) {
            contributors[n].samples = most > 0 && member->rows > most ? most : member->rows;
            contributors[n].steps = 1;
            members[n++] = member;
        }
    }
    return n;
}

/* Both figures of the one that is largest; *ret_silent: who does not say its own, or NULL. */
static const struct cnv_member *smoothness_largest(const struct cnv_engine *engine,
                                                   const struct cnv_member *const *members,
                                                   const double *weights,
                                                   size_t n,
                                                   double *ret_largest,
                                                   const struct cnv_member **ret_silent)
{
    const struct cnv_member *steepest = NULL;

    *ret_largest = 0;
    *ret_silent = NULL;
    for (size_t i = 0; i < n; i++) {
        double factor = engine->settings.is_async ? 1.0 : (double) n * weights[i];
        double smoothness = factor * members[i]->smoothness;

        if (members[i]->smoothness == 0) {
            *ret_silent = members[i];
        }
        if (smoothness > *ret_largest) {
            *ret_largest = smoothness;
            steepest = members[i];
        }
    }
    return steepest;
}

static void smoothness_take(struct cnv_engine *engine,
                            const struct cnv_member *const *members,
                            const double *weights,
                            size_t n)
{
    const struct cnv_member *silent = NULL;
    double largest = 0;
    const struct cnv_member *steepest =
        smoothness_largest(engine, members, weights, n, &largest, &silent);
    char text[CNV_WHY_SIZE];

    if (steepest == NULL) {
        return;
    }
    if (silent != NULL) {
        (void) snprintf(
            text, sizeof(text), "L is not known, as it does not say its own: solver/smoothness");
        cnv_note(engine, CNV_NOTE_SMOOTHNESS, silent, CNV_OK, text);
        return;
    }
    engine->smoothness = largest;
    (void) snprintf(text, sizeof(text), "L = %.6g, the largest of %zu agents", largest, n);
    cnv_note(engine, CNV_NOTE_SMOOTHNESS, steepest, CNV_OK, text);
}

bool cnv_smoothness_fix(struct cnv_engine *engine)
{
    double given = cnv_config_real(engine->config, "solver/smoothness");
    size_t n = engine->member_count;
    const struct cnv_member **members = cnv_array_new(n, sizeof(*members));
    struct cnv_contributor *contributors = cnv_array_new(n, sizeof(*contributors));
    double *weights = cnv_array_new(n, sizeof(*weights));
    bool has_room = members != NULL && contributors != NULL && weights != NULL;
    char text[CNV_WHY_SIZE];

    if (given > 0) {
        engine->smoothness = given;
        (void) snprintf(text, sizeof(text), "L = %.6g, as solver/smoothness says", given);
        cnv_note(engine, CNV_NOTE_SMOOTHNESS, NULL, CNV_OK, text);
    } else if (has_room) {
        n = smoothness_gather(engine, members, contributors);
        engine->aggregate->weigh(engine->aggregate_state, contributors, n, weights);
        smoothness_take(engine, members, weights, n);
    }
    cnv_free(members);
    cnv_free(contributors);
    cnv_free(weights);
    return given > 0 || has_room;
}

void cnv_smoothness_compare(struct cnv_engine *engine, const struct cnv_member *member)
{
    bool is_alike = engine->settings.is_async || engine->settings.is_uniform;
    double factor = is_alike ? 1.0
                             : (double) engine->settings.agents * (double) member->rows /
                                   (double) engine->total_rows;
    double smoothness = factor * member->smoothness;
    char text[CNV_WHY_SIZE];

    if (engine->smoothness == 0 || cnv_config_real(engine->config, "solver/smoothness") > 0 ||
        smoothness <= engine->smoothness) {
        return;
    }
    (void) snprintf(text,
                    sizeof(text),
                    "its L = %.6g is above the run's %.6g: steps may be too long",
                    smoothness,
                    engine->smoothness);
    cnv_note(engine, CNV_NOTE_STEEP, member, CNV_OK, text);
}
