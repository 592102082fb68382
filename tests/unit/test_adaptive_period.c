/* adaptive-period on sequences of variances worked out by hand. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "policy/policy.h"

/* K = 40, so that the first 10 iterations are sampled; gamma is 0.5, from iteration 20 on 0.05. */
static const char *const usual[] = { "policy/kind=adaptive-period",
                                     "run/iterations=40",
                                     "run/agents=2",
                                     "solver/step=0.5",
                                     "solver/decay=0.1",
                                     "solver/decay-at=20",
                                     NULL };

struct subject {
    struct cnv_config *config;
    const struct cnv_policy_ops *ops;
    void *state;
    struct cnv_round_view view;
    struct cnv_decision decision;
};

static struct subject subject_new(const char *const *settings)
{
    struct subject subject = { .config = cnv_config_new(),
                               .ops = cnv_policy_find("adaptive-period") };

    cr_assert_not_null(subject.ops);
    for (; *settings != NULL; settings++) {
        cr_assert_eq(cnv_config_assign(subject.config, *settings, "test", NULL), CNV_OK);
    }
    cr_assert_eq(cnv_config_check(subject.config, NULL), CNV_OK);
    subject.state = cnv_array_new(1, subject.ops->state_size);
    cr_assert_eq(subject.ops->init(subject.state, subject.config, NULL), CNV_OK);
    subject.view = (struct cnv_round_view){ .solver = "sgd", .variance = NAN };
    subject.ops->decide(subject.state, &subject.view, &subject.decision);
    return subject;
}

static void subject_drop(struct subject *subject)
{
    cnv_free(subject->state);
    cnv_config_destroy(subject->config);
}

/* A round as decided, of so many members, showed this variance; returns the next L. */
static uint32_t next_of(struct subject *subject, size_t contributors, double variance)
{
    subject->view.round++;
    subject->view.local_steps = subject->decision.local_steps;
    subject->view.iteration += subject->decision.local_steps;
    subject->view.contributors = contributors;
    subject->view.variance = variance;
    memset(&subject->decision, 0, sizeof(subject->decision));
    subject->ops->decide(subject->state, &subject->view, &subject->decision);
    return subject->decision.local_steps;
}

static uint32_t next(struct subject *subject, double variance)
{
    return next_of(subject, 2, variance);
}

static void says(const struct subject *subject, const char *reason)
{
    cr_assert_str_eq(subject->decision.reason, reason);
}

Test(adaptive_period, samples_then_holds_the_variance_in_the_band, .timeout = 10)
{
    struct subject subject = subject_new(usual);

    cr_assert_eq(subject.decision.local_steps, 4);
    says(&subject, "L stays 4: to begin with");
    /* k = 4 and 8: sampled, S / 0.5 = 2 and 4, so that C2 = 3. */
    cr_assert_eq(next(&subject, 1.0), 4);
    says(&subject, "L stays 4: sample 1, S/gamma 2, mean C2 2");
    cr_assert_eq(next(&subject, 2.0), 4);
    says(&subject, "L stays 4: sample 2, S/gamma 4, mean C2 3");
    /* k = 12: gamma C2 = 1.5, the band is 1.05 to 1.95, its ends belong to it. */
    cr_assert_eq(next(&subject, 1.04), 5);
    says(&subject, "L 4 -> 5: S 1.04 < 1.05 (0.7 gamma C2)");
    /* k = 17 */
    cr_assert_eq(next(&subject, 1.2), 5);
    says(&subject, "L stays 5: S 1.2 is 0.80 of gamma C2, within 0.7 to 1.3");
    /* k = 22: its last local step is iteration 21, gamma = 0.05, the band 0.105 to 0.195. */
    cr_assert_eq(next(&subject, 0.2), 4);
    says(&subject, "L 5 -> 4: S 0.2 > 0.195 (1.3 gamma C2)");
    subject_drop(&subject);
}

Test(adaptive_period, takes_the_step_size_of_the_last_local_step, .timeout = 10)
{
    const char *const settings[] = { "policy/kind=adaptive-period", "run/iterations=100",
                                     "policy/sample=0.04",          "solver/step=1",
                                     "solver/decay-at=8,9",         NULL };
    struct subject subject = subject_new(settings);

    /* k = 4 is not below K_s = 4, but C2 needs one sample. */
    cr_assert_eq(next(&subject, 1.0), 4);
    says(&subject, "L stays 4: sample 1, S/gamma 1, mean C2 1");
    /* k = 8: iteration 7 still had gamma = 1, so S = 0.1 is far too small. */
    cr_assert_eq(next(&subject, 0.1), 5);
    /* k = 13: iteration 12 had gamma = 0.01. */
    cr_assert_eq(next(&subject, 0.01), 5);
    subject_drop(&subject);
}

Test(adaptive_period, stays_between_one_and_the_longest_round, .timeout = 10)
{
    const char *const settings[] = { "policy/kind=adaptive-period",
                                     "run/iterations=1000",
                                     "policy/sample=0",
                                     "policy/period=2",
                                     "policy/max-local-steps=3",
                                     NULL };
    struct subject subject = subject_new(settings);
    const uint32_t down[] = { 1, 1, 1 };
    const uint32_t up[] = { 2, 3, 3, 3 };

    cr_assert_eq(next(&subject, 1.0), 2);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(next(&subject, 9.0), down[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(next(&subject, 0.0), up[i]);
    }
    says(&subject, "L stays 3: S 0 < 0.7 (0.7 gamma C2)");
    subject_drop(&subject);
}

Test(adaptive_period, warms_up_with_an_average_after_every_step, .timeout = 10)
{
    const char *const settings[] = { "policy/kind=adaptive-period",
                                     "run/iterations=40",
                                     "solver/step=0.5",
                                     "policy/warm-up=3",
                                     NULL };
    struct subject subject = subject_new(settings);

    cr_assert_eq(subject.decision.local_steps, 1);
    says(&subject, "L = 1 for the first 3 iterations (warm-up)");
    cr_assert_eq(next(&subject, 100.0), 1);
    cr_assert_eq(next(&subject, 100.0), 1);
    cr_assert_eq(next(&subject, 100.0), 4);
    says(&subject, "L stays 4: warm-up is over");
    cr_assert_eq(next(&subject, 1.0), 4);
    says(&subject, "L stays 4: sample 1, S/gamma 2, mean C2 2");
    subject_drop(&subject);
}

Test(adaptive_period, learns_nothing_from_rounds_with_members_missing_or_alone, .timeout = 10)
{
    struct subject subject = subject_new(usual);

    cr_assert_eq(next_of(&subject, 1, 0.0), 4);
    says(&subject, "L stays 4: no variance to learn from, 1 contributed");
    cr_assert_eq(next(&subject, NAN), 4);
    cr_assert_eq(next(&subject, 0.0), 4);
    cr_assert_eq(next(&subject, 7.0), 4);
    says(&subject, "L stays 4: C2 is 0, all sampled models were alike");
    subject_drop(&subject);

    const char *const three[] = {
        "policy/kind=adaptive-period", "run/iterations=40", "run/agents=3", NULL
    };
    subject = subject_new(three);
    cr_assert_eq(next_of(&subject, 2, 5.0), 4);
    says(&subject, "L stays 4: not sampled, 2 of 3 agents contributed");
    cr_assert_eq(next_of(&subject, 3, 1.0), 4);
    says(&subject, "L stays 4: sample 1, S/gamma 10, mean C2 10");
    subject_drop(&subject);
}

Test(adaptive_period, refuses_a_damaged_state, .timeout = 10)
{
    struct subject subject = subject_new(usual);
    uint8_t bytes[32] = { 0 };

    cr_assert_eq(subject.ops->save(subject.state, NULL, 0), 20);
    cr_assert_eq(subject.ops->save(subject.state, bytes, sizeof(bytes)), 20);
    cr_assert_eq(bytes[0], 4);
    cr_assert_eq(subject.ops->load(subject.state, bytes, 19, NULL), CNV_E_SIZE);
    cr_assert_eq(subject.ops->load(subject.state, bytes, 20, NULL), CNV_OK);
    bytes[19] = 0x7f;
    bytes[18] = 0xf0; /* infinity */
    cr_assert_eq(subject.ops->load(subject.state, bytes, 20, NULL), CNV_E_MALFORMED);
    bytes[19] = 0;
    bytes[18] = 0;
    bytes[0] = 0;
    cr_assert_eq(subject.ops->load(subject.state, bytes, 20, NULL), CNV_E_MALFORMED);
    subject_drop(&subject);
}

static void refuses(const char *setting, const char *text)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_error err = { .text = "" };

    cr_assert_eq(cnv_config_set(config, "policy/kind", "adaptive-period", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "run/iterations", "100", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_assign(config, setting, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_check(config, &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, text);
    cnv_config_destroy(config);
}

Test(adaptive_period, settings_that_do_not_fit_are_refused, .timeout = 10)
{
    refuses("run/iterations=0",
            "policy/kind=adaptive-period needs run/iterations, of which it samples a share of "
            "policy/sample=0.25");
    refuses("policy/band-low=2", "policy/band-low=2 has to be at most policy/band-high=1.3");
    refuses("policy/period=1001",
            "policy/period=1001 has to be at most policy/max-local-steps=1000");
}
