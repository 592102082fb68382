/* test_engine_smoothness.c - L of the run: the largest of its members, told to all alike. */
#include <criterion/criterion.h>
#include <math.h>

#include "engine_script.h"

static void ready(struct script *script, cnv_peer_id peer, double smoothness)
{
    struct cnv_message message = { .kind = CNV_KIND_READY };

    message.ready.dimension = 3;
    message.ready.smoothness = smoothness;
    script_say(script, peer, &message, NULL, 0);
}

/* Agent peer, with that shard and so many rows, says its L. */
static void join(struct script *script, cnv_peer_id peer, uint64_t rows, double smoothness)
{
    static const double labels[] = { -1, 1 };
    struct cnv_message message = { .kind = CNV_KIND_LOADED };
    char name[] = { 'a', (char) ('0' + peer), '\0' };

    message.loaded.rows = rows;
    message.loaded.features = 3;
    message.loaded.labels = 2;
    script_hello(script, peer, name);
    script_say(script, peer, &message, labels, sizeof(labels));
    ready(script, peer, smoothness);
}

static double told(struct script *script, cnv_peer_id peer)
{
    return script_last(script, peer, CNV_KIND_ANNOUNCE)->message.announce.smoothness;
}

/* Three agents of 10, 10 and 40 rows with L of 3, 1 and 2: with the weights of the mean n p L is
 * 1.5, 0.5 and 4. */
static struct script *three(const char *setting)
{
    const char *const settings[] = { "run/agents=3", "run/shards=4", setting, NULL };
    struct script *script = script_new(settings);
    static const uint64_t rows[] = { 10, 10, 40 };
    static const double smoothness[] = { 3, 1, 2 };

    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_hello(script, peer, peer == 1 ? "a1" : peer == 2 ? "a2" : "a3");
    }
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        static const double labels[] = { -1, 1 };
        struct cnv_message message = { .kind = CNV_KIND_LOADED };

        message.loaded.rows = rows[peer - 1];
        message.loaded.features = 3;
        message.loaded.labels = 2;
        script_say(script, peer, &message, labels, sizeof(labels));
    }
    cr_assert(isnan(script_view(script).smoothness), "not fixed yet");
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        ready(script, peer, smoothness[peer - 1]);
    }
    return script;
}

static void expect(const char *setting, double smoothness)
{
    struct script *script = three(setting);

    cr_assert_float_eq(script_view(script).smoothness, smoothness, 1e-15);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        cr_assert_eq(told(script, peer), script_view(script).smoothness);
    }
    script_destroy(script);
}

Test(engine_smoothness, is_the_largest_with_the_weights_of_the_mean, .timeout = 10)
{
    expect(NULL, 4);
    expect("limits/samples=10", 3); /* which caps weights */
}

Test(engine_smoothness, is_the_largest_as_it_is_where_all_weigh_the_same, .timeout = 10)
{
    expect("aggregate/weighting=uniform", 3);
    expect("sync/mode=async", 3);
}

Test(engine_smoothness, a_setting_takes_the_place_of_what_is_gathered, .timeout = 10)
{
    expect("solver/smoothness=7", 7);
}

Test(engine_smoothness, whoever_comes_later_is_told_the_same, .timeout = 10)
{
    struct script *script = three(NULL);

    cr_assert(script_noted(script, CNV_NOTE_SMOOTHNESS, "L = 4, the largest of 3 agents"));
    join(script, 4, 10, 100);
    script_gone(script, 1);
    script_leave(script, 2);
    for (cnv_peer_id peer = 2; peer <= 3; peer++) {
        if (peer != 2) {
            script_offer(script, peer, 1);
        }
    }
    script_wait(script, 5000); /* a1 is not waited for any longer */
    cr_assert_eq(told(script, 4), 4, "not its own 100");
    cr_assert(script_noted(script, CNV_NOTE_STEEP, "its L = 50 is above the run's 4"));
    script_hello(script, 9, "a1"); /* a new process */
    script_loaded(script, 9);
    ready(script, 9, 50);
    script_wait(script, 1000);
    script_offer(script, 3, 1);
    script_offer(script, 4, 1);
    script_wait(script, 1000);
    cr_assert_eq(told(script, 9), 4);
    cr_assert_eq(told(script, 3), 4);
    cr_assert_eq(script_view(script).smoothness, 4);
    script_destroy(script);
}

Test(engine_smoothness, one_that_does_not_say_makes_it_unknown, .timeout = 10)
{
    const char *const settings[] = { "run/agents=2", NULL };
    struct script *script = script_new(settings);

    script_load(script, 1, "a1");
    script_load(script, 2, "a2");
    ready(script, 1, 2);
    ready(script, 2, 0);
    cr_assert_eq(told(script, 1), 0);
    cr_assert(isnan(script_view(script).smoothness));
    cr_assert(script_noted(script, CNV_NOTE_SMOOTHNESS, "solver/smoothness"));
    script_destroy(script);
}

Test(engine_smoothness, nobody_asked_is_nothing_said, .timeout = 10)
{
    const char *const settings[] = { "run/agents=2", NULL };
    struct script *script = script_new(settings);

    script_join_all(script, 2, 3);
    cr_assert_eq(told(script, 1), 0);
    cr_assert_not(script_noted(script, CNV_NOTE_SMOOTHNESS, ""));
    script_destroy(script);
}

Test(engine_smoothness, what_cannot_be_is_refused, .timeout = 10)
{
    const char *const settings[] = { "run/agents=3", NULL };
    static const double bad[] = { 0, NAN, INFINITY, -1 };
    struct script *script = script_new(settings);

    script_load(script, 1, "a1");
    script_load(script, 2, "a2");
    script_load(script, 3, "a3");
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        ready(script, peer, bad[peer]);
        cr_assert(script_was_dropped(script, peer));
    }
    script_destroy(script);
}
