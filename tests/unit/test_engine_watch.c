/*
 * Rounds in which members are watched: the exchange monitor comes until it is time, and what goes
 * wrong in the middle of it.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/sketch.h"
#include "engine_script.h"

static const char *const naive[] = { "run/agents=2",
                                     "solver/kind=sgd",
                                     "policy/kind=dynamic",
                                     "policy/monitor=naive",
                                     "policy/threshold=1",
                                     "policy/check-every=3",
                                     "policy/max-local-steps=10",
                                     "run/rounds=2",
                                     NULL };

static void offer_square(struct script *script, cnv_peer_id peer, double square)
{
    script_offer_scalars(script, peer, &square, 1);
}

static void offer_squares(struct script *script, double square)
{
    offer_square(script, 1, square);
    offer_square(script, 2, square);
}

static bool is_again(const struct script *script, cnv_peer_id peer)
{
    return script_last(script, peer, CNV_KIND_SETTLED)->message.settled.again;
}

Test(engine_watch, monitors_come_until_the_estimate_passes_theta, .timeout = 10)
{
    struct script *script = script_new(naive);
    struct cnv_round_row row;

    script_join_all(script, 2, 2);
    const struct cnv_msg_announce *announce =
        &script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce;
    cr_assert_str_eq(announce->plan, "monitor,model");
    cr_assert_str_eq(announce->monitor, "naive");
    cr_assert_eq(announce->check_every, 3);
    cr_assert_eq(announce->local_steps, 10);
    offer_square(script, 1, 0.5);
    offer_square(script, 2, 1.5);
    cr_assert(is_again(script, 1));
    cr_assert_eq(script_view(script).exchange, 1);
    cr_assert_str_eq(script_view(script).exchange_name, "monitor");
    cr_assert_eq(script_view(script).estimate, 1.0);
    offer_squares(script, 1.01);
    cr_assert_not(is_again(script, 2));
    cr_assert_eq(script_view(script).exchange, 2);
    cr_assert_str_eq(script_view(script).exchange_name, "model");
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_view(script).iteration, 6, "what was really done");
    cnv_engine_row(script->engine, 0, &row);
    cr_assert_eq(row.local_steps, 6);
    cr_assert_eq(row.loss, 2.0, "the first scalar of model");
    cr_assert_eq(row.exchanges, 3);
    cr_assert_eq(row.variance, 2.0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.iteration, 6);
    script_destroy(script);
}

Test(engine_watch, no_round_is_longer_than_the_most, .timeout = 10)
{
    struct script *script = script_new(naive);

    script_join_all(script, 2, 2);
    for (int i = 0; i < 3; i++) {
        offer_squares(script, 0.0);
        cr_assert(is_again(script, 1));
    }
    offer_squares(script, 0.0); /* after 10 steps, not 12 */
    cr_assert_not(is_again(script, 1));
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).iteration, 10);
    script_destroy(script);
}

Test(engine_watch, who_is_lost_between_monitors_restarts_the_round, .timeout = 10)
{
    struct script *script = script_new(naive);

    script_join_all(script, 2, 2);
    offer_squares(script, 0.5);
    script_mark(script);
    script_leave(script, 2);
    const struct cnv_msg_announce *announce =
        &script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce;
    cr_assert_eq(announce->attempt, 2);
    cr_assert_eq(script_view(script).exchange, 0);
    cr_assert_str_eq(script_view(script).exchange_name, "monitor");
    cr_assert(isnan(script_view(script).estimate));
    offer_square(script, 1, 2.0);
    cr_assert_not(is_again(script, 1));
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_view(script).iteration, 3);
    script_destroy(script);
}

Test(engine_watch, a_lost_verdict_comes_again_with_the_beat, .timeout = 10)
{
    struct script *script = script_new(naive);

    script_join_all(script, 2, 2);
    offer_squares(script, 0.5);
    offer_squares(script, 0.5);
    script_wait(script, 3000);
    script_mark(script);
    script_beat(script, 2, 0, 1, 1, 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_SETTLED), 1);
    cr_assert_eq(script_last(script, 2, CNV_KIND_SETTLED)->message.settled.exchange, 1);
    cr_assert(is_again(script, 2));
    script_destroy(script);
}

Test(engine_watch, a_drain_averages_at_the_next_monitor, .timeout = 10)
{
    struct script *script = script_new(naive);

    script_join_all(script, 2, 2);
    offer_squares(script, 0.5);
    cnv_engine_drain(script->engine, script->now_ms, "enough");
    offer_squares(script, 0.5);
    cr_assert_not(is_again(script, 1));
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_view(script).iteration, 6);
    script_destroy(script);
}

Test(engine_watch, who_comes_waits_for_one_look_alone, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=1",
                                                              "solver/kind=sgd",
                                                              "policy/kind=dynamic",
                                                              "policy/monitor=naive",
                                                              "policy/threshold=1",
                                                              NULL });

    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_loaded(script, 1);
    script_ready(script, 1, 2);
    offer_square(script, 1, 0.5);
    cr_assert(is_again(script, 1));
    script_hello_as(script, 2, "a2", 2, 2, 2);
    script_loaded(script, 2);
    script_ready(script, 2, 2);
    offer_square(script, 1, 0.5);
    cr_assert_not(is_again(script, 1));
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ANNOUNCE), 1);
    script_destroy(script);
}

Test(engine_watch, a_drift_that_is_not_finite_is_left_out, .timeout = 10)
{
    struct script *script = script_new(naive);

    script_join_all(script, 2, 2);
    offer_square(script, 1, 0.5);
    offer_square(script, 2, NAN);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 40);
    cr_assert(is_again(script, 1));
    cr_assert_eq(script_last(script, 1, CNV_KIND_SETTLED)->message.settled.contributors, 1);
    script_destroy(script);
}

static void offer_sketch(struct script *script, cnv_peer_id peer, double value, size_t length)
{
    double drift[4] = { value, value, value, value };
    double sketch[CNV_SKETCH_SIZE];
    struct cnv_msg_offer offer = script_offer_head(script, peer, "f32", 10);
    float bytes[CNV_SKETCH_SIZE];

    cnv_sketch_take(1, drift, 4, sketch);
    for (size_t i = 0; i < CNV_SKETCH_SIZE; i++) {
        bytes[i] = (float) sketch[i];
    }
    offer.length = length;
    offer.bytes = 4 * length;
    offer.scalars.count = 1;
    offer.scalars.at[0] = 4 * value * value;
    script_offer_message(script, peer, &offer, bytes);
}

Test(engine_watch, sketches_are_averaged_beside_a_model_of_another_length, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=2",
                                                              "solver/kind=sgd",
                                                              "policy/kind=dynamic",
                                                              "policy/monitor=sketch",
                                                              "policy/threshold=1",
                                                              NULL });

    script_join_all(script, 2, 4);
    offer_sketch(script, 1, 3.0, CNV_SKETCH_SIZE);
    offer_sketch(script, 2, 3.0, CNV_SKETCH_SIZE); /* they moved alike: no variance */
    const struct script_sent *settled = script_last(script, 1, CNV_KIND_SETTLED);
    cr_assert_eq(settled->len, 0, "the verdict is all that members need");
    cr_assert_not(settled->message.settled.again, "36 - 36 / 1.063 is more than 1");
    script_destroy(script);
}

Test(engine_watch, a_sketch_of_another_size_is_refused, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=2",
                                                              "solver/kind=sgd",
                                                              "policy/kind=dynamic",
                                                              "policy/monitor=sketch",
                                                              "policy/threshold=1",
                                                              NULL });

    script_join_all(script, 2, 4);
    offer_sketch(script, 1, 3.0, 4);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 41);
    script_destroy(script);
}

Test(engine_watch, exact_is_the_variance_of_the_models, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=2",
                                                              "solver/kind=sgd",
                                                              "policy/kind=dynamic",
                                                              "policy/monitor=exact",
                                                              "policy/threshold=1.9",
                                                              "encoding/up=f32",
                                                              NULL });

    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script_view(script).estimate, 2.0);
    cr_assert_not(is_again(script, 1));
    script_destroy(script);
}
