#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "engine_script.h"

static const char *const giant[] = { "run/agents=2", "solver/kind=giant", "run/rounds=2", NULL };

static void offer_scaled(struct script *script, cnv_peer_id peer, double factor, uint64_t reference)
{
    struct cnv_msg_offer offer = script_offer_head(script, peer, "scaled", 10);

    offer.reference = reference;
    offer.scalars.count = 1;
    script_offer_message(script, peer, &offer, &factor);
}

/* Both members take part in exchanges 0 (gradient 1 and 3), 1 (direction 4 and 8), 2 (loss). */
static void giant_to_model(struct script *script)
{
    const double losses[] = { 0.5, 0.25 };

    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_offer(script, 1, 4.0);
    script_offer(script, 2, 8.0);
    script_offer_scalars(script, 1, losses, 2);
    script_offer_scalars(script, 2, losses, 2);
}

Test(engine_exchange, giant_runs_through_its_four_exchanges, .timeout = 10)
{
    struct script *script = script_new(giant);
    const double two[] = { 2.0, 2.0 };

    script_join_all(script, 2, 2);
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.plan,
                     "gradient,direction,loss,model");
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    const struct script_sent *settled = script_last(script, 2, CNV_KIND_SETTLED);
    cr_assert_eq(settled->message.settled.exchange, 0);
    cr_assert_eq(settled->message.settled.attempt, 1);
    cr_assert_eq(settled->message.settled.contributors, 2);
    cr_assert_eq(settled->message.settled.scalars.count, 1);
    cr_assert_eq(settled->message.settled.scalars.at[0], 2.0);
    cr_assert_arr_eq(settled->bytes, two, sizeof(two));
    cr_assert_str_eq(script_view(script).exchange_name, "direction");
    script_offer(script, 1, 4.0);
    script_offer(script, 2, 8.0);
    const double losses[] = { 0.5, 0.25 };
    script_offer_scalars(script, 1, losses, 2);
    script_offer_scalars(script, 2, losses, 2);
    settled = script_last(script, 1, CNV_KIND_SETTLED);
    cr_assert_eq(settled->message.settled.exchange, 2);
    cr_assert_eq(settled->len, 0);
    cr_assert_eq(settled->message.settled.encoding[0], '\0');
    cr_assert_eq(settled->message.settled.scalars.at[1], 0.25);
    offer_scaled(script, 1, -0.5, 1);
    offer_scaled(script, 2, -0.5, 1);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 1), -3.0);
    cr_assert_eq(script_view(script).exchanges, 4);
    struct cnv_round_row row;
    cnv_engine_row(script->engine, 0, &row);
    cr_assert_eq(row.loss, 2.0);
    cr_assert_eq(row.gradient_norm, sqrt(8.0));
    cr_assert_eq(row.variance, 0.0);
    cr_assert_eq(row.payload_up, 2 * (16 + 16 + 8));
    script_destroy(script);
}

Test(engine_exchange, a_scaled_update_is_the_direction_times_the_factor_to_the_bit, .timeout = 10)
{
    /* A weighted mean of equal factors would round. */
    struct script *script =
        script_new((const char *const[]){ "run/agents=3", "solver/kind=giant", NULL });
    const double loss[] = { 0.5 };
    double direction[2] = { 0.1, 0.3 };
    double factor = -1.0 / 3.0;

    script_join_all(script, 3, 2);
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_offer(script, peer, 1.0);
    }
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_offer_values(script, peer, direction);
    }
    double settled[2];
    memcpy(settled, script_last(script, 1, CNV_KIND_SETTLED)->bytes, sizeof(settled));
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        script_offer_scalars(script, peer, loss, 1);
    }
    for (cnv_peer_id peer = 1; peer <= 3; peer++) {
        offer_scaled(script, peer, factor, 1);
    }
    cr_assert_eq(script_model(script, 0), factor * settled[0]);
    cr_assert_eq(script_model(script, 1), factor * settled[1]);
    script_destroy(script);
}

Test(engine_exchange, members_that_disagree_on_the_factor_are_left_out, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    giant_to_model(script);
    offer_scaled(script, 1, 0.5, 1);
    offer_scaled(script, 2, nextafter(0.5, 1.0), 1);
    const struct script_sent *error = script_last(script, 2, CNV_KIND_ERROR);
    cr_assert_eq(error->message.error.code, 42);
    cr_assert(strstr(error->message.error.text, "a2 and a1") != NULL);
    /* What has settled was of both: the round restarts with the first alone. */
    cr_assert_eq(script_view(script).version, 0);
    cr_assert_eq(script_view(script).exchange, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.attempt, 2);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.attempt, 1);
    script_destroy(script);
}

Test(engine_exchange, one_who_disagrees_does_not_harm_the_others, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=3", "policy/evaluate=0", NULL });
    double values[] = { 9.0, 9.0 };

    script_join_all(script, 3, 2);
    struct cnv_msg_offer offer = script_offer_head(script, 1, "f64", 10);
    offer.scalars.count = 5; /* the first in rank, alone with that */
    script_offer_message(script, 1, &offer, values);
    script_offer(script, 2, 1.0);
    script_offer(script, 3, 3.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 2.0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 41);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ERROR), 0);
    script_destroy(script);
}

Test(engine_exchange, scaled_refers_to_the_newest_settled_vector_only, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    giant_to_model(script);
    offer_scaled(script, 1, 0.5, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 41);
    script_destroy(script);
}

Test(engine_exchange, a_factor_that_is_not_finite_fails_all_who_sent_it, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    giant_to_model(script);
    offer_scaled(script, 1, (double) NAN, 1);
    offer_scaled(script, 2, (double) NAN, 1);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 40);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 40);
    /* Nobody is left: all begin again. */
    cr_assert_eq(script_view(script).exchange, 0);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.attempt,
                 script_view(script).attempt);
    script_destroy(script);
}

Test(engine_exchange, a_member_lost_after_something_settled_restarts_the_round, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_offer(script, 1, 4.0);
    script_wait_beating(script, 2900, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).exchange, 1);
    script_wait_beating(script, 200, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).exchange, 0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.attempt, 2);
    cr_assert(script_noted(script, CNV_NOTE_RESTARTED, "a2 is lost"));
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SETTLED)->message.settled.attempt, 2);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SETTLED)->message.settled.contributors, 1);
    script_destroy(script);
}

Test(engine_exchange, offers_of_an_older_attempt_are_ignored, .timeout = 10)
{
    struct script *script = script_new(giant);
    double values[] = { 9.0, 9.0 };

    script_join_all(script, 2, 2);
    struct cnv_msg_offer old = script_offer_head(script, 1, "f64", 10);
    old.scalars.count = 1;
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_wait_beating(script, 3100, (const cnv_peer_id[]){ 1, 0 });
    cr_assert_eq(script_view(script).attempt, 2);
    script_mark(script);
    old.transfer = 50;
    script_offer_message(script, 1, &old, values);
    cr_assert_eq(script_view(script).exchange, 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_SETTLED), 0);
    cr_assert_eq(script_count(script, 1, CNV_KIND_ERROR), 0);
    script_destroy(script);
}

Test(engine_exchange, a_new_process_in_a_later_exchange_restarts_the_round_with_it, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 50, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 2);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ANNOUNCE)->message.announce.attempt, 2);
    cr_assert_eq(script_last(script, 5, CNV_KIND_ANNOUNCE)->message.announce.attempt, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 5, 3.0);
    cr_assert_eq(script_last(script, 5, CNV_KIND_SETTLED)->message.settled.contributors, 2);
    script_destroy(script);
}

Test(engine_exchange, a_reconnect_in_a_later_exchange_restarts_nothing, .timeout = 10)
{
    struct script *script = script_new(giant);

    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_gone(script, 2);
    script_hello_as(script, 5, "a2", 2, 0, 0);
    script_loaded(script, 5);
    script_ready(script, 5, 2);
    script_beat(script, 5, 0, 1, 1, 0); /* it had not heard of the result yet */
    cr_assert_eq(script_last(script, 5, CNV_KIND_SETTLED)->message.settled.exchange, 0);
    script_offer(script, 1, 4.0);
    script_offer(script, 5, 8.0);
    cr_assert_eq(script_view(script).exchange, 2);
    cr_assert_eq(script_view(script).attempt, 1);
    script_destroy(script);
}

Test(engine_exchange, a_refusal_in_a_later_exchange_restarts_without_the_member, .timeout = 10)
{
    struct script *script = script_new(giant);
    double nan[] = { (double) NAN, 0 };

    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_offer(script, 1, 4.0);
    struct cnv_msg_offer offer = script_offer_head(script, 2, "f64", 10);
    offer.scalars.count = 1;
    script_offer_message(script, 2, &offer, nan);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.code, 40);
    cr_assert_eq(script_view(script).exchange, 0);
    script_mark(script);
    /* Alone to the end; the other gets the commit, and the next round. */
    const double loss[] = { 0.5 };
    script_offer(script, 1, 1.0);
    script_offer(script, 1, 4.0);
    script_offer_scalars(script, 1, loss, 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_SETTLED), 0);
    offer_scaled(script, 1, 2.0, 1);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_model(script, 0), 8.0);
    cr_assert_not(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    script_destroy(script);
}

Test(engine_exchange, a_vector_is_no_loss_and_a_loss_no_vector, .timeout = 10)
{
    struct script *script = script_new(giant);
    const double loss[] = { 0.5 };

    script_join_all(script, 2, 2);
    script_offer_scalars(script, 1, loss, 1);
    cr_assert_str_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.text,
                     "a1: exchange gradient takes a vector");
    script_destroy(script);

    script = script_new(giant);
    script_join_all(script, 2, 2);
    script_offer(script, 1, 1.0);
    script_offer(script, 2, 3.0);
    script_offer(script, 1, 4.0);
    script_offer(script, 2, 8.0);
    script_offer(script, 2, 8.0);
    cr_assert_str_eq(script_last(script, 2, CNV_KIND_ERROR)->message.error.text,
                     "a2: exchange loss takes scalars only");
    script_destroy(script);
}

Test(engine_exchange, settled_results_are_rounded_like_models, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "solver/kind=giant", "encoding/down=f32", NULL });
    const double loss[] = { 0.5 };

    script_join_all(script, 1, 2);
    script_offer(script, 1, 0.1);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SETTLED)->len, 8);
    script_offer(script, 1, 0.1);
    script_offer_scalars(script, 1, loss, 1);
    offer_scaled(script, 1, 3.0, 1);
    cr_assert_eq(script_model(script, 0), (double) (float) (3.0 * (double) 0.1F));
    script_destroy(script);
}
