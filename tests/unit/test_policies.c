/*
 * Every policy on the same rounds: whatever they show, decisions are sane, and a policy that was
 * saved and loaded at any point decides as if nothing had happened.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "config/config.h"
#include "fit.h"
#include "policy/policy.h"
#include "with_plugins.h"

TestSuite(policies, .init = with_plugins);

enum { ROUNDS = 120, STATE_MAX = 4096 };

static struct cnv_config *config_of(const struct cnv_policy_ops *ops)
{
    struct cnv_config *config = cnv_config_new();

    cr_assert_eq(cnv_config_set(config, "policy/kind", ops->name, "test", NULL), CNV_OK);
    fit_settings(config, ops->name);
    cr_assert_eq(cnv_config_check(config, NULL), CNV_OK);
    return config;
}

static void *state_of(const struct cnv_policy_ops *ops, const struct cnv_config *config)
{
    void *state = cnv_array_new(1, ops->state_size);

    cr_assert_not_null(state);
    cr_assert_eq(ops->init(state, config, NULL), CNV_OK);
    return state;
}

static void state_drop(const struct cnv_policy_ops *ops, void *state)
{
    if (ops->fini != NULL) {
        ops->fini(state);
    }
    cnv_free(state);
}

static double odd_number(struct cnv_rng *rng)
{
    switch (cnv_rng_below(rng, 6)) {
    case 0:
        return NAN;
    case 1:
        return INFINITY;
    case 2:
        return 0.0;
    default:
        return exp(10.0 * cnv_rng_normal(rng));
    }
}

static const size_t counts[] = { 1, 2, 1000, 0 };

/* What a round with the decision showed: any numbers at all. */
static void
show(struct cnv_round_view *view, const struct cnv_decision *decision, struct cnv_rng *rng)
{
    view->round++;
    view->local_steps = decision->local_steps;
    view->iteration += decision->local_steps;
    view->solver = decision->solver;
    view->contributors = counts[cnv_rng_below(rng, 4)];
    view->loss = odd_number(rng);
    view->previous_loss = odd_number(rng);
    view->gradient_norm = odd_number(rng);
    view->variance = odd_number(rng);
    view->seconds += 1.0;
    view->bytes += 1000;
}

static void decide(const struct cnv_policy_ops *ops,
                   void *state,
                   const struct cnv_round_view *view,
                   struct cnv_decision *ret)
{
    struct cnv_decision decision = { .local_steps = 3, .solver = "newton" };

    ops->decide(state, view, &decision);
    cr_assert_geq(decision.local_steps, 1);
    cr_assert_leq(decision.local_steps, 1000, "%s: policy/max-local-steps", ops->name);
    cr_assert_neq(decision.solver[0], '\0');
    cr_assert_neq(decision.reason[0], '\0');
    cr_assert_null(strpbrk(decision.reason, "\n\"\r"));
    cr_assert_lt(strlen(decision.reason), CNV_REASON_ROOM, "%s: no room to add", ops->name);
    *ret = decision;
}

static void is_same(const struct cnv_decision *a, const struct cnv_decision *b)
{
    cr_assert_str_eq(a->reason, b->reason);
    cr_assert_str_eq(a->solver, b->solver);
    cr_assert_eq(a->local_steps, b->local_steps);
    cr_assert_eq(a->evaluate, b->evaluate);
    cr_assert_eq(a->stop, b->stop);
}

Test(policies, have_a_name_a_sentence_and_a_key, .timeout = 10)
{
    for (size_t p = 0; cnv_policy_at(p) != NULL; p++) {
        const struct cnv_policy_ops *ops = cnv_policy_at(p);

        cr_assert_eq(cnv_policy_find(ops->name), ops);
        cr_assert_gt(strlen(ops->text), 10);
        bool is_plugin = strncmp(ops->name, "plugin:", strlen("plugin:")) == 0;
        cr_assert(is_plugin || strlen(ops->paper) > 5, "%s", ops->name);
        cnv_config_destroy(config_of(ops));
    }
    cr_assert_null(cnv_policy_find("adaptive"));
}

Test(policies, decide_sanely_and_the_same_after_save_and_load, .timeout = 30)
{
    for (size_t p = 0; cnv_policy_at(p) != NULL; p++) {
        const struct cnv_policy_ops *ops = cnv_policy_at(p);
        struct cnv_config *config = config_of(ops);

        for (uint64_t seed = 1; seed <= 20; seed++) {
            void *steady = state_of(ops, config);
            void *moved = state_of(ops, config);
            struct cnv_round_view view = { .solver = "newton",
                                           .loss = NAN,
                                           .previous_loss = NAN,
                                           .gradient_norm = NAN,
                                           .variance = NAN };
            struct cnv_rng rng;

            /* By odd seeds it is set in mid-run. */
            view.iteration = seed % 2 == 0 ? 0 : 170 * seed;
            cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, p, 0);
            for (size_t round = 0; round < ROUNDS; round++) {
                struct cnv_decision one;
                struct cnv_decision other;
                uint8_t bytes[STATE_MAX];

                decide(ops, steady, &view, &one);
                decide(ops, moved, &view, &other);
                is_same(&one, &other);
                size_t size = ops->save(moved, bytes, sizeof(bytes));
                cr_assert_leq(size, sizeof(bytes));
                cr_assert_eq(ops->save(moved, NULL, 0), size);
                state_drop(ops, moved);
                moved = state_of(ops, config);
                cr_assert_eq(ops->load(moved, bytes, size, NULL), CNV_OK);
                cr_assert_neq(ops->load(moved, bytes, size + 1, NULL), CNV_OK);
                show(&view, &one, &rng);
            }
            state_drop(ops, steady);
            state_drop(ops, moved);
        }
        cnv_config_destroy(config);
    }
}

Test(policies, take_no_damaged_state_nor_change_by_it, .timeout = 10)
{
    for (size_t i = 0; cnv_policy_at(i) != NULL; i++) {
        const struct cnv_policy_ops *ops = cnv_policy_at(i);
        struct cnv_config *config = config_of(ops);
        void *state = state_of(ops, config);
        void *untouched = state_of(ops, config);
        uint8_t bytes[64];

        memset(bytes, 0xFF, sizeof(bytes));
        for (size_t size = 0; size <= sizeof(bytes); size++) {
            if (size != ops->save(state, NULL, 0)) {
                struct cnv_error err = { .status = CNV_OK };

                cr_assert_neq(ops->load(state, bytes, size, &err), CNV_OK);
                cr_assert_neq(err.text[0], '\0');
            }
        }
        cr_assert_eq(memcmp(state, untouched, ops->state_size), 0);
        state_drop(ops, state);
        state_drop(ops, untouched);
        cnv_config_destroy(config);
    }
}
