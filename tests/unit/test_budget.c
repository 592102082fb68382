/* Budgets kept over whole runs, and what the policy says about them. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "policy/policy.h"

/* A run whose rounds cost so many bytes, and so many seconds and a part for each step. */
struct play {
    double cost;
    double fixed_s;
    double step_s;
    uint64_t rounds; /* at most */
};

struct outcome {
    uint64_t rounds;
    uint64_t bytes;
    double seconds;
    uint32_t last; /* L */
    char reason[CNV_REASON_SIZE];
};

static enum cnv_status
start(const char *const *set, struct cnv_config **ret_config, void **ret_state, char *text)
{
    const struct cnv_policy_ops *ops = cnv_policy_find("budget");
    struct cnv_error err = { .text = "" };

    *ret_config = cnv_config_new();
    *ret_state = cnv_array_new(1, ops->state_size);
    for (size_t i = 0; set[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(*ret_config, set[i], "test", NULL), CNV_OK);
    }
    enum cnv_status status = ops->init(*ret_state, *ret_config, &err);
    (void) strcpy(text, err.text);
    return status;
}

static struct outcome play(const char *const *set, const struct play *play)
{
    const struct cnv_policy_ops *ops = cnv_policy_find("budget");
    struct cnv_config *config = NULL;
    void *state = NULL;
    char text[160];

    cr_assert_eq(start(set, &config, &state, text), CNV_OK, "%s", text);
    uint64_t steps = (uint64_t) cnv_config_integer(config, "run/iterations");
    struct cnv_round_view view = { .solver = "sgd" };
    struct cnv_decision decision = { .local_steps = 1 };

    while (view.round < play->rounds && (steps == 0 || view.iteration < steps)) {
        ops->decide(state, &view, &decision);
        uint64_t left = steps == 0 ? UINT32_MAX : steps - view.iteration;

        decision.local_steps = left < decision.local_steps ? (uint32_t) left : decision.local_steps;
        view.round++;
        view.local_steps = decision.local_steps;
        view.iteration += decision.local_steps;
        view.bytes += (uint64_t) play->cost;
        view.seconds += play->fixed_s + play->step_s * decision.local_steps;
    }
    struct outcome outcome = { .rounds = view.round,
                               .bytes = view.bytes,
                               .seconds = view.seconds,
                               .last = decision.local_steps };
    (void) strcpy(outcome.reason, decision.reason);
    cnv_free(state);
    cnv_config_destroy(config);
    return outcome;
}

Test(budget, spends_the_bytes_of_a_run_on_as_many_rounds_as_they_pay_for, .timeout = 10)
{
    const char *const set[] = {
        "run/iterations=1000", "policy/local-steps=1", "policy/budget-bytes=50000", NULL
    };
    struct outcome outcome = play(set, &(struct play){ .cost = 1000, .rounds = 2000 });

    cr_assert_leq(outcome.bytes, 49000); /* the last commit is still to be sent */
    cr_assert_geq(outcome.rounds, 45);
}

Test(budget, takes_the_steps_left_in_one_round_when_the_bytes_are_gone, .timeout = 10)
{
    const char *const set[] = {
        "run/iterations=5000", "policy/local-steps=1", "policy/budget-bytes=1500", NULL
    };
    struct outcome outcome = play(set, &(struct play){ .cost = 1000, .rounds = 2000 });

    cr_assert_eq(outcome.rounds, 2);
    cr_assert_eq(outcome.last, 4999);
    cr_assert_str_eq(outcome.reason,
                     "L 1 -> 4999: 500 of 1.5e+03 bytes left, a round costs 1e+03: all in one");
}

Test(budget, takes_no_more_steps_than_the_bytes_ask_for, .timeout = 10)
{
    const char *const set[] = {
        "run/iterations=1000", "policy/local-steps=5", "policy/budget-bytes=1000000", NULL
    };
    struct outcome outcome = play(set, &(struct play){ .cost = 1000, .rounds = 2000 });

    cr_assert_eq(outcome.rounds, 200);
}

/* 1000 bytes in 0.01 s and 0.01 s a step: 2000 bytes a second takes 0.5 s, L = 49. */
Test(budget, settles_where_rounds_send_what_is_allowed_a_second, .timeout = 10)
{
    const char *const set[] = { "policy/local-steps=1", "policy/budget-rate=2000", NULL };
    struct outcome outcome =
        play(set, &(struct play){ .cost = 1000, .fixed_s = 0.01, .step_s = 0.01, .rounds = 60 });

    cr_assert_geq(outcome.last, 48);
    cr_assert_leq(outcome.last, 51);
    cr_assert(strstr(outcome.reason, "bytes/s, allowed are 2e+03"), "%s", outcome.reason);
}

Test(budget, says_what_it_needs, .timeout = 10)
{
    struct cnv_config *config = NULL;
    void *state = NULL;
    char text[160];

    cr_assert_eq(start((const char *const[]){ NULL }, &config, &state, text), CNV_E_INPUT);
    cr_assert_str_eq(text, "policy/kind=budget needs policy/budget-bytes or policy/budget-rate");
    cnv_free(state);
    cnv_config_destroy(config);
    cr_assert_eq(
        start((const char *const[]){ "policy/budget-bytes=7", NULL }, &config, &state, text),
        CNV_E_INPUT);
    cr_assert_str_eq(text, "policy/budget-bytes=7 needs run/iterations, to divide it among");
    cnv_free(state);
    cnv_config_destroy(config);
}
