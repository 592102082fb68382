/* The schedules of growing intervals, exact: Spiridonoff et al. 2021. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "policy/policy.h"

enum { POINTS_MAX = 200 };

static struct cnv_config *config_of(const char *const *set)
{
    struct cnv_config *config = cnv_config_new();

    for (size_t i = 0; set[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(config, set[i], "test", NULL), CNV_OK);
    }
    return config;
}

/* The iterations after which the models are averaged, up to the last of the run. */
static size_t points_of(const char *const *set, uint64_t *points)
{
    struct cnv_config *config = config_of(set);
    const struct cnv_policy_ops *ops = cnv_policy_find(cnv_config_text(config, "policy/kind"));
    uint64_t end = (uint64_t) cnv_config_integer(config, "run/iterations");
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_round_view view = { .solver = "sgd" };
    size_t count = 0;

    cr_assert_eq(ops->init(state, config, NULL), CNV_OK);
    while (view.iteration < end && count < POINTS_MAX) {
        struct cnv_decision decision = { .local_steps = 1 };

        ops->decide(state, &view, &decision);
        view.round++;
        view.iteration += decision.local_steps;
        points[count++] = view.iteration;
    }
    cnv_free(state);
    cnv_config_destroy(config);
    return count;
}

static void check(const char *const *set, const uint64_t *expected, size_t count)
{
    uint64_t points[POINTS_MAX];

    cr_assert_eq(points_of(set, points), count, "%s", set[0]);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(points[i], expected[i], "%s: point %zu", set[0], i + 1);
    }
}

#define CHECK(set, ...)                                                                            \
    do {                                                                                           \
        const uint64_t expected[] = { __VA_ARGS__ };                                               \
        check(set, expected, sizeof(expected) / sizeof(expected[0]));                              \
    } while (0)

#define SET(...)     ((const char *const[]){ __VA_ARGS__, "run/iterations=1000", NULL })
#define GROWING(...) SET("policy/kind=growing", __VA_ARGS__)

/* Numbers worked out apart from this code. */
Test(growing, cuts_1000_steps_into_20_and_8_growing_rounds, .timeout = 10)
{
    CHECK(GROWING("policy/rounds=20"),
          4,
          14,
          28,
          47,
          71,
          100,
          133,
          171,
          214,
          261,
          314,
          371,
          433,
          500,
          571,
          647,
          728,
          814,
          904,
          1000);
    CHECK(GROWING("policy/rounds=8"), 27, 83, 166, 277, 416, 583, 777, 1000);
    CHECK(GROWING("run/agents=8"), 27, 83, 166, 277, 416, 583, 777, 1000);
}

Test(growing, knows_the_schedules_it_is_compared_with, .timeout = 10)
{
    uint64_t points[POINTS_MAX];

    CHECK(GROWING("policy/rounds=8", "policy/schedule=decreasing"),
          223,
          417,
          584,
          723,
          834,
          917,
          973,
          1000);
    CHECK(GROWING("policy/rounds=6", "policy/schedule=constant"), 166, 333, 500, 666, 833, 1000);
    CHECK(SET("policy/kind=one-shot"), 1000);
    cr_assert_eq(points_of(GROWING("policy/schedule=stich", "run/agents=20"), points), 143);
    cr_assert_eq(points[0], 7);
    cr_assert_eq(points[142], 1000);
    cr_assert_eq(points_of(GROWING("policy/schedule=hkmc", "run/agents=20"), points), 28);
    cr_assert_eq(points[1], 72);
}

/* H_r = a r: about sqrt(2 T / a) rounds, whatever T is. */
Test(growing, needs_no_end_with_the_unending_schedule, .timeout = 10)
{
    uint64_t points[POINTS_MAX];

    cr_assert_eq(points_of(GROWING("policy/schedule=unending"), points), 45);
    cr_assert_eq(points[0], 1);
    cr_assert_eq(points[1], 3);
    cr_assert_eq(points[2], 6);
    cr_assert_eq(points[43], 990);
    cr_assert_eq(points_of(GROWING("policy/schedule=unending", "policy/growth=2.5"), points), 28);
    cr_assert_eq(points[0], 2);
    cr_assert_eq(points[1], 7);
    cr_assert_eq(points[2], 15);
}

Test(growing, is_exact_for_the_longest_runs_there_are, .timeout = 10)
{
    const char *const set[] = { "policy/kind=growing", "policy/rounds=65535", NULL };
    struct cnv_config *config = config_of(set);
    const struct cnv_policy_ops *ops = cnv_policy_find("growing");
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_round_view view = { .iteration = (1ULL << 53) - 5 };
    struct cnv_decision decision = { .local_steps = 0 };

    cr_assert_eq(cnv_config_set(config, "run/rounds", "0", "test", NULL), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "run/iterations", "9007199254740992", "test", NULL),
                 CNV_OK);
    cr_assert_eq(ops->init(state, config, NULL), CNV_OK);
    ops->decide(state, &view, &decision);
    cr_assert_eq(decision.local_steps, 5);
    cnv_free(state);
    cnv_config_destroy(config);
}

/* More rounds than steps: points that coincide are one. */
Test(growing, averages_after_each_step_at_most, .timeout = 10)
{
    const char *const set[] = {
        "policy/kind=growing", "policy/rounds=50", "run/iterations=10", NULL
    };

    CHECK(set, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
}

static void refuses(const char *const *set, const char *text)
{
    struct cnv_config *config = config_of(set);
    const struct cnv_policy_ops *ops = cnv_policy_find(cnv_config_text(config, "policy/kind"));
    void *state = cnv_array_new(1, ops->state_size);
    struct cnv_error err = { .text = "" };

    cr_assert_eq(ops->init(state, config, &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, text);
    cnv_free(state);
    cnv_config_destroy(config);
}

Test(growing, says_what_it_needs, .timeout = 10)
{
    refuses((const char *const[]){ "policy/kind=growing", NULL },
            "policy/schedule=increasing needs run/iterations");
    refuses((const char *const[]){ "policy/kind=one-shot", NULL },
            "policy/kind=one-shot needs run/iterations");
    refuses(
        GROWING("policy/rounds=200"),
        "run/rounds=100 ends the run before the 200 rounds of policy/schedule=increasing (0: no "
        "limit)");
}
