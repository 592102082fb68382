/* test_adaptive_l.c - what fixed and adaptive-l decide, and what adaptive-l does not load. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "policy/policy.h"

struct policy {
    const struct cnv_policy_ops *ops;
    struct cnv_config *config;
    void *state;
};

static struct policy policy_new(const struct cnv_policy_ops *ops, const char *const *settings)
{
    struct policy policy = { .ops = ops, .config = cnv_config_new() };
    struct cnv_error err = { .status = CNV_OK };

    for (; settings != NULL && *settings != NULL; settings++) {
        cr_assert_eq(cnv_config_assign(policy.config, *settings, "test", &err), CNV_OK);
    }
    policy.state = cnv_array_new(1, ops->state_size);
    cr_assert_eq(ops->init(policy.state, policy.config, &err), CNV_OK);
    return policy;
}

static void policy_destroy(struct policy *policy)
{
    if (policy->ops->fini != NULL) {
        policy->ops->fini(policy->state);
    }
    cnv_free(policy->state);
    cnv_config_destroy(policy->config);
}

static struct cnv_decision policy_decide(struct policy *policy, const struct cnv_round_view *view)
{
    struct cnv_decision decision = { .local_steps = 3, .solver = "newton", .evaluate = true };

    policy->ops->decide(policy->state, view, &decision);
    return decision;
}

Test(adaptive_l, a_saved_state_with_senseless_values_is_refused, .timeout = 5)
{
    const struct cnv_policy_ops *ops = cnv_policy_find("adaptive-l");
    struct policy policy = policy_new(ops, NULL);

    cr_assert_neq(ops->load(policy.state, (const uint8_t[]){ 0, 0, 0, 0, 0 }, 5, NULL), CNV_OK);
    cr_assert_neq(ops->load(policy.state, (const uint8_t[]){ 1, 0, 0, 0, 2 }, 5, NULL), CNV_OK);
    cr_assert_eq(ops->load(policy.state, (const uint8_t[]){ 1, 0, 0, 0, 1 }, 5, NULL), CNV_OK);
    policy_destroy(&policy);
}

Test(adaptive_l, fixed_keeps_l_up_to_the_maximum, .timeout = 5)
{
    struct policy policy =
        policy_new(cnv_policy_find("fixed"), (const char *const[]){ "policy/local-steps=7", NULL });
    struct cnv_decision decision = { .local_steps = 1, .solver = "sgd" };
    struct cnv_round_view view = { .round = 5, .local_steps = 1, .solver = "sgd" };

    decision = policy_decide(&policy, &view);
    cr_assert_eq(decision.local_steps, 7);
    cr_assert_str_eq(decision.solver, "newton"); /* the run's, as the engine filled it in */
    cr_assert_not(decision.stop);
    policy_destroy(&policy);

    policy = policy_new(
        cnv_policy_find("fixed"),
        (const char *const[]){ "policy/local-steps=7", "policy/max-local-steps=4", NULL });
    decision = policy_decide(&policy, &view);
    cr_assert_eq(decision.local_steps, 4);
    policy_destroy(&policy);
}

/* Wang et al. 2018: GIANT from the average of local solves. Nobody else, and not in mid-run. */
Test(adaptive_l, fixed_lets_giant_start_from_local_solves, .timeout = 5)
{
    struct policy policy =
        policy_new(cnv_policy_find("fixed"),
                   (const char *const[]){ "policy/local-steps=1", "policy/local-start=5", NULL });
    struct cnv_decision decision = { .solver = "giant" };
    struct cnv_round_view view = { .round = 0 };

    policy.ops->decide(policy.state, &view, &decision);
    cr_assert_eq(decision.local_steps, 5);
    cr_assert_str_eq(decision.solver, "newton");
    cr_assert_str_eq(decision.reason, "giant starts from the average after 5 local Newton steps");
    decision = (struct cnv_decision){ .solver = "giant" };
    view = (struct cnv_round_view){ .iteration = 5 }; /* the next, or set anew in mid-run */
    policy.ops->decide(policy.state, &view, &decision);
    cr_assert_eq(decision.local_steps, 1);
    cr_assert_str_eq(decision.solver, "giant");
    decision = (struct cnv_decision){ .solver = "sgd" };
    view = (struct cnv_round_view){ .round = 0 };
    policy.ops->decide(policy.state, &view, &decision);
    cr_assert_eq(decision.local_steps, 1);
    cr_assert_str_eq(decision.solver, "sgd");
    policy_destroy(&policy);
}

/* Gupta et al. 2021, Algorithm 2, with the losses of consecutive models. */
Test(adaptive_l, adaptive_l_takes_one_step_fewer_when_the_loss_hardly_falls, .timeout = 5)
{
    static const struct {
        double previous;
        double loss;
        uint32_t steps;
        const char *solver;
        const char *reason;
    } rounds[] = {
        { (double) NAN,
          0.7,
          3,
          "newton",
          "L stays 3: no two losses of the same members to compare yet" },
        { 0.7, 0.4, 3, "newton", "L stays 3: loss fell by 3.0e-01, at least 1.0e-02" },
        { 0.4, 0.39979, 2, "newton", "L 3 -> 2: loss fell by 2.1e-04, less than 1.0e-02" },
        { 0.39979, 0.5, 1, "newton", "L 2 -> 1: loss rose by 1.0e-01" },
        { 0.5, 0.4, 1, "newton", "L stays 1: loss fell by 1.0e-01, at least 1.0e-02" },
        { 0.4, 0.4, 1, "giant", "L 1 -> giant: loss fell by 0.0e+00, less than 1.0e-02" },
        { 0.4, 0.1, 1, "giant", "giant to the end" },
    };
    struct policy policy = policy_new(cnv_policy_find("adaptive-l"), NULL);
    struct cnv_round_view view = { .round = 0,
                                   .loss = (double) NAN,
                                   .previous_loss = (double) NAN };

    cr_assert_eq(policy_decide(&policy, &view).local_steps, 3);
    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        view.round = i + 1;
        view.loss = rounds[i].loss;
        view.previous_loss = rounds[i].previous;
        struct cnv_decision decision = policy_decide(&policy, &view);

        cr_assert_eq(decision.local_steps, rounds[i].steps, "round %zu", i + 1);
        cr_assert_str_eq(decision.solver, rounds[i].solver);
        cr_assert_str_eq(decision.reason, rounds[i].reason);
        cr_assert(decision.evaluate);
    }
    policy_destroy(&policy);
}

Test(adaptive_l, a_fall_of_exactly_delta_is_enough, .timeout = 5)
{
    struct policy policy = policy_new(cnv_policy_find("adaptive-l"),
                                      (const char *const[]){ "policy/delta=0.25", NULL });
    struct cnv_round_view view = { .round = 2, .previous_loss = 0.75, .loss = 0.5 };

    cr_assert_eq(policy_decide(&policy, &view).local_steps, 3);
    policy_destroy(&policy);
}

/* The marks in the paper's figures: 3, 2, 1, GIANT, whatever the loss. */
Test(adaptive_l, adaptive_l_with_infinite_delta_falls_after_every_round, .timeout = 5)
{
    static const uint32_t steps[] = { 3, 2, 1, 1, 1 };
    static const char *const solvers[] = { "newton", "newton", "newton", "giant", "giant" };
    struct policy policy = policy_new(cnv_policy_find("adaptive-l"),
                                      (const char *const[]){ "policy/delta=inf", NULL });

    for (uint64_t round = 0; round < 5; round++) {
        struct cnv_round_view view = {
            .round = round,
            .loss = round % 2 == 0 ? (double) NAN : 1.0,
            .previous_loss = (double) NAN,
        };
        struct cnv_decision decision = policy_decide(&policy, &view);

        cr_assert_eq(decision.local_steps, steps[round]);
        cr_assert_str_eq(decision.solver, solvers[round]);
    }
    policy_destroy(&policy);
}
