/* test_session.c - joining, rounds, and what a lack of memory does. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "desk.h"
#include "proto/vector.h"

/* --- Joining ------------------------------------------------------------------------------- */

Test(session, says_hello_until_welcomed, .timeout = 5)
{
    struct desk *desk = desk_new("worker");

    cr_assert_str_eq(desk_said(desk, CNV_KIND_HELLO, 0)->hello.name, "a1");
    cr_assert_eq(desk_said(desk, CNV_KIND_HELLO, 0)->hello.instance, 5);
    tick(desk, 999);
    cr_assert_eq(desk->sent, 1);
    tick(desk, 1);
    cr_assert_eq(desk_count(desk, CNV_KIND_HELLO), 2);
    hear_welcome_of(desk, RUN, 1, spec_f64);
    tick(desk, 2000);
    cr_assert_eq(desk_count(desk, CNV_KIND_HELLO), 2);
    desk_close(desk);
}

Test(session, joins_step_by_step, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    cr_assert_eq(desk->events, 3);
    cr_assert_eq(desk->event[0]->kind, CONVENE_WELCOME);
    cr_assert_str_eq(desk->event[0]->spec, spec_f64);
    cr_assert_str_eq(desk->event[0]->run_name, "r");
    cr_assert_eq(desk->event[0]->shard, 1);
    cr_assert_eq(desk_said(desk, CNV_KIND_LOADED, 0)->loaded.labels, 2);
    cr_assert_eq(desk->event[1]->kind, CONVENE_SHAPE);
    cr_assert_eq(desk->event[1]->label_count, 2);
    cr_assert_eq(desk->event[1]->labels[1], 1.0);
    cr_assert_eq(desk->event[1]->total_rows, 20);
    cr_assert_eq(desk_said(desk, CNV_KIND_READY, 0)->ready.dimension, 3);
    cr_assert_eq(desk->event[2]->kind, CONVENE_COMMIT);
    cr_assert_eq(desk->event[2]->version, 1);
    cr_assert_arr_eq(desk->event[2]->values, small, sizeof(small));
    cr_assert_str_eq(cnv_session_bulk_endpoint(desk->session), "inproc://bulk");
    desk_close(desk);
}

Test(session, says_loaded_and_ready_again_until_the_server_shows_it_knows, .timeout = 5)
{
    struct desk *desk = desk_new("worker");
    convene_data data = { .rows = 10, .features = 3 };

    hear_welcome_of(desk, RUN, 1, spec_f64);
    cr_assert_eq(cnv_session_loaded(desk->session, desk->now, &data), CNV_OK);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_LOADED), 2);
    hear_shape(desk);
    hear_shape(desk);
    cr_assert_eq(desk->events, 2, "a repeated shape is no second event");
    cr_assert_eq(cnv_session_ready(desk->session, desk->now, 3, -1), CNV_E_INPUT);
    cr_assert_eq(cnv_session_ready(desk->session, desk->now, 3, NAN), CNV_E_INPUT);
    cr_assert_eq(cnv_session_ready(desk->session, desk->now, 3, 1.5), CNV_OK);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_READY), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_READY, 1)->ready.smoothness, 1.5);
    hear_commit(desk, 1, small, 3);
    desk_clear(desk);
    tick(desk, BEAT);
    cr_assert_eq(desk->sent, 1);
    cr_assert_str_eq(desk_said(desk, CNV_KIND_BEAT, 0)->beat.state, "idle");
    desk_close(desk);
}

Test(session, tells_its_first_speed_at_once, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    tick(desk, BEAT);
    desk_clear(desk);
    cnv_session_speed(desk->session, 12.5);
    tick(desk, 1);
    cr_assert_eq(desk_said(desk, CNV_KIND_BEAT, 0)->beat.steps_per_second, 12.5);
    cnv_session_speed(desk->session, 13.5);
    tick(desk, 1);
    cr_assert_eq(desk_count(desk, CNV_KIND_BEAT), 1);
    desk_close(desk);
}

Test(session, answers_rejoin_from_memory_and_goes_on, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message rejoin = { .kind = CNV_KIND_REJOIN };

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, small, 3);
    desk_clear(desk);
    hear(desk, &rejoin, NULL, 0);
    hear(desk, &rejoin, NULL, 0);
    cr_assert_eq(desk_count(desk, CNV_KIND_HELLO), 1, "one hello answers several");
    cr_assert_eq(desk->messages[0].hello.instance, 5);
    hear_welcome_of(desk, RUN, 2, spec_f64);
    cr_assert_eq(desk->events, 0, "the application is not asked to load again");
    cr_assert_eq(desk_count(desk, CNV_KIND_LOADED), 1);
    cr_assert_eq(desk_count(desk, CNV_KIND_READY), 1);
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.round, 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_BEAT, 0)->beat.version, 1);
    hear_welcome_of(desk, RUN, 2, spec_f64);
    cr_assert_eq(desk_count(desk, CNV_KIND_LOADED), 1, "a copy of the welcome changes nothing");
    desk_close(desk);
}

Test(session, starts_anew_when_the_welcome_names_another_run, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message rejoin = { .kind = CNV_KIND_REJOIN };
    struct cnv_blob *model = NULL;
    uint32_t digest = 0;

    hear(desk, &rejoin, NULL, 0);
    desk_clear(desk);
    hear_welcome_of(desk, RUN + 1, 2, spec_f64);
    cr_assert_eq(desk->event[0]->kind, CONVENE_WELCOME);
    cr_assert_eq(desk_count(desk, CNV_KIND_LOADED), 0);
    cr_assert_eq(cnv_session_version(desk->session, &model, &digest), 0);
    cr_assert_null(model);
    desk_close(desk);
}

Test(session, connects_anew_after_silence, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    tick(desk, PATIENCE - 1);
    cr_assert_eq(desk->reconnects, 0);
    tick(desk, 1);
    cr_assert_eq(desk->reconnects, 1);
    desk_clear(desk);
    tick(desk, PATIENCE);
    cr_assert_eq(desk->sent, 0, "nothing is said while there is no connection");
    cr_assert_eq(desk->reconnects, 1);
    cnv_session_connected(desk->session, desk->now);
    cr_assert_eq(desk_count(desk, CNV_KIND_HELLO), 1);
    desk_close(desk);
}

Test(session, ends_when_replaced_or_refused, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message replaced = { .kind = CNV_KIND_REPLACED, .replaced = { .host = "other" } };
    struct cnv_message error = { .kind = CNV_KIND_ERROR };

    desk_clear(desk);
    hear(desk, &replaced, NULL, 0);
    cr_assert_eq(desk->event[0]->kind, CONVENE_LOST);
    cr_assert_eq(desk->event[0]->result, CONVENE_REFUSED);
    cr_assert_not_null(strstr(desk->event[0]->text, "other"));
    cr_assert(cnv_session_is_over(desk->session));
    tick(desk, BEAT);
    cr_assert_eq(desk->sent, 0);
    desk_close(desk);

    desk = desk_new("worker");
    error.error = (struct cnv_msg_error){ .code = 22, .fatal = true, .text = "misfit of a1" };
    hear(desk, &error, NULL, 0);
    hear(desk, &error, NULL, 0);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->result, CONVENE_REFUSED);
    cr_assert_str_eq(desk->event[0]->text, "misfit of a1");
    desk_close(desk);
}

Test(session, run_that_is_over_already_ends_it_too, .timeout = 5)
{
    struct desk *desk = desk_new("worker");
    struct cnv_message finish = { .kind = CNV_KIND_FINISH };

    finish.finish =
        (struct cnv_msg_finish){ .run = RUN, .version = 2, .exit = 1, .reason = "over" };
    hear(desk, &finish, NULL, 0);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_FINISHED);
    cr_assert_eq(desk->event[0]->exit_code, 1);
    desk_close(desk);
}

Test(session, follower_receives_commits_without_data, .timeout = 5)
{
    struct desk *desk = desk_new("follower");

    hear_welcome_of(desk, RUN, 1, spec_f64);
    hear_commit(desk, 4, small, 3);
    hear_announce(desk, 5, 1, 4, "model");
    cr_assert_eq(desk->events, 2);
    cr_assert_eq(desk->event[1]->kind, CONVENE_COMMIT);
    cr_assert_eq(desk_count(desk, CNV_KIND_LOADED), 0);
    desk_close(desk);
}

/* --- Rounds -------------------------------------------------------------------------------- */

Test(session, repeats_no_offer_that_is_in, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message credit = { .kind = CNV_KIND_CREDIT, .credit = { .attempt = 1 } };

    hear_announce(desk, 2, 1, 1, "gradient,model");
    contribute(desk, 2, 1, small, 3);
    desk_clear(desk);
    hear(desk, &credit, NULL, 0);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 1, "that was about another one");
    credit.credit.transfer = 1;
    hear(desk, &credit, NULL, 0);
    tick(desk, BEAT);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 1);
    cr_assert_eq(desk_count(desk, CNV_KIND_BEAT), 3);
    hear_announce(desk, 2, 2, 1, "gradient,model");
    contribute(desk, 2, 2, small, 3);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 3, "a new one is repeated again");
    desk_close(desk);
}

Test(session, offers_inline_and_repeats_with_each_beat_until_settled, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message settled = { .kind = CNV_KIND_SETTLED };
    double result[3] = { 1, 2, 3 };

    hear_announce(desk, 2, 1, 1, "gradient,model");
    cr_assert_eq(desk->event[3]->kind, CONVENE_ROUND);
    cr_assert_str_eq(desk->event[3]->plan, "gradient,model");
    cr_assert_eq(desk->event[3]->smoothness, 2.5);
    cr_assert_arr_eq(desk->event[3]->values, small, sizeof(small));
    desk_clear(desk);
    contribute(desk, 2, 1, small, 3);
    const struct cnv_msg_offer *offer = &desk_said(desk, CNV_KIND_OFFER, 0)->offer;
    cr_assert_eq(offer->bytes, 24);
    cr_assert_eq(offer->transfer, 1);
    cr_assert_eq(offer->crc, cnv_crc32c(0, small, 24));
    cr_assert_eq(offer->scalars.count, 1);
    cr_assert_str_eq(offer->encoding, "f64");
    cr_assert_eq(desk->lens[0], 24);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 1)->offer.transfer, 1);

    settled.settled = (struct cnv_msg_settled){
        .run = RUN,
        .round = 2,
        .attempt = 2, /* the server began another attempt of the exchange meanwhile */
        .encoding = "f64",
        .length = 3,
        .bytes = 24,
        .digest = cnv_vector_digest(cnv_encoding_find("f64"), (const uint8_t *) result, 3),
        .scalars = { .count = 1, .at = { 0.25 } },
    };
    hear(desk, &settled, result, 24);
    hear(desk, &settled, result, 24);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_SETTLED);
    cr_assert_eq(desk->event[0]->exchange, 0);
    cr_assert_eq(desk->event[0]->attempt, 1);
    cr_assert_eq(desk->event[0]->values[2], 3.0);
    cr_assert_eq(desk->event[0]->scalars[0], 0.25);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_BEAT, 1)->beat.exchange, 1);
    desk_close(desk);
}

Test(session, keeps_an_announce_until_its_version_is_in, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    desk_clear(desk);
    hear_announce(desk, 3, 1, 2, "model");
    cr_assert_eq(desk->events, 0);
    hear_commit(desk, 2, small, 3);
    cr_assert_eq(desk->events, 2);
    cr_assert_eq(desk->event[0]->kind, CONVENE_COMMIT);
    cr_assert_eq(desk->event[1]->kind, CONVENE_ROUND);
    cr_assert_eq(desk->event[1]->round, 3);
    desk_close(desk);
}

Test(session, ignores_announces_it_works_on_or_that_were_overtaken, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    hear_announce(desk, 2, 2, 1, "model");
    contribute(desk, 2, 2, small, 3);
    desk_clear(desk);
    hear_announce(desk, 2, 2, 1, "model");
    hear_announce(desk, 2, 1, 1, "model");
    hear_announce(desk, 1, 9, 0, "model");
    cr_assert_eq(desk->events, 0);
    hear_commit(desk, 2, small, 3);
    hear_announce(desk, 2, 3, 1, "model");
    hear_commit(desk, 1, small, 3);
    cr_assert_eq(desk->events, 1, "a commit ends the round for late announces of it");
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 0);
    cr_assert_str_eq(desk_said(desk, CNV_KIND_BEAT, 0)->beat.state, "idle");
    desk_close(desk);
}

Test(session, higher_attempt_cancels_the_contribution_in_hand, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, small, 3);
    hear_announce(desk, 2, 2, 1, "model");
    desk_clear(desk);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 0);
    contribute(desk, 2, 1, small, 3);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 0, "of the attempt that was overtaken");
    contribute(desk, 2, 2, small, 3);
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.transfer, 2);
    desk_close(desk);
}

Test(session, refuses_contributions_that_make_no_sense, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    convene_contribution contribution = { .round = 2, .attempt = 1, .values = small, .length = 2 };
    struct cnv_error err = { 0 };

    hear_announce(desk, 2, 1, 1, "model");
    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, &err),
                 CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "2 coordinates"));
    contribution = (convene_contribution){ .round = 2, .attempt = 1, .is_scaled = true };
    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, &err),
                 CNV_E_INPUT);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 0);
    desk_close(desk);
}

Test(session, sends_scaled_and_scalars_alone, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message settled = { .kind = CNV_KIND_SETTLED };
    convene_contribution contribution = {
        .round = 2, .attempt = 1, .samples = 10, .scalars = { 4, 5 }, .scalar_count = 2
    };
    double factor = 0;

    hear_announce(desk, 2, 1, 1, "loss,model");
    desk_clear(desk);
    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, NULL), CNV_OK);
    cr_assert_str_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.encoding, "");
    cr_assert_eq(desk->lens[0], 0);
    settled.settled = (struct cnv_msg_settled){ .run = RUN, .round = 2, .attempt = 1 };
    hear(desk, &settled, NULL, 0);
    cr_assert_null(desk->event[0]->values);
    contribution = (convene_contribution){
        .round = 2, .attempt = 1, .exchange = 1, .is_scaled = true, .factor = 0.75, .samples = 10
    };
    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, NULL), CNV_OK);
    const struct cnv_msg_offer *offer = &desk_said(desk, CNV_KIND_OFFER, 1)->offer;
    cr_assert_str_eq(offer->encoding, "scaled");
    cr_assert_eq(offer->bytes, 8);
    cr_assert_eq(offer->length, 3);
    cr_assert_eq(offer->reference, 0);
    memcpy(&factor, desk->first[1], 8);
    cr_assert_eq(factor, 0.75);
    desk_close(desk);
}

Test(session, encodes_as_the_specification_says, .timeout = 5)
{
    struct desk *desk = desk_new("worker");
    convene_data data = { .rows = 10, .features = 3 };

    hear_welcome_of(desk, RUN, 1, "encoding/down=f64\nencoding/up=f32\n");
    cr_assert_eq(cnv_session_loaded(desk->session, desk->now, &data), CNV_OK);
    hear_shape(desk);
    cr_assert_eq(cnv_session_ready(desk->session, desk->now, 3, 0), CNV_OK);
    hear_commit(desk, 0, small, 3);
    hear_announce(desk, 1, 1, 0, "model");
    contribute(desk, 1, 1, small, 3);
    cr_assert_str_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.encoding, "f32");
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.bytes, 12);
    desk_close(desk);
}

Test(session, tells_once_that_a_contribution_was_refused, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message error = { .kind = CNV_KIND_ERROR };

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, small, 3);
    desk_clear(desk);
    error.error = (struct cnv_msg_error){ .code = 3, .round = 2, .text = "stale" };
    hear(desk, &error, NULL, 0);
    cr_assert_eq(desk->events, 0);
    error.error = (struct cnv_msg_error){ .code = 40, .round = 2, .text = "not finite" };
    hear(desk, &error, NULL, 0);
    hear(desk, &error, NULL, 0);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_REFUSED_CONTRIBUTION);
    cr_assert_str_eq(desk->event[0]->text, "not finite");
    cr_assert_not(cnv_session_is_over(desk->session));
    desk_close(desk);
}

Test(session, repeats_the_report_with_the_offer, .timeout = 5)
{
    struct desk *desk = member_new(small, 3);
    convene_score score = { .version = 1, .value = 7, .rows = 9 };

    hear_announce(desk, 2, 1, 1, "loss");
    cr_assert_eq(cnv_session_report(desk->session, desk->now, &score), CNV_OK);
    contribute(desk, 2, 1, NULL, 0);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_REPORT), 2);
    cr_assert_str_eq(desk_said(desk, CNV_KIND_REPORT, 1)->report.metric, "correct");
    desk_close(desk);
}

/* --- The next run ----------------------------------------------------------------------------- */

static struct desk *staying(convene_stay stay)
{
    struct desk *desk = cnv_object_new(struct desk);

    cr_assert_eq(desk_try_stay(desk, "worker", stay), CNV_OK);
    cnv_session_connected(desk->session, desk->now);
    hear_welcome_of(desk, RUN, 1, spec_f64);
    desk_clear(desk);
    return desk;
}

static void hear_finish(struct desk *desk, bool next)
{
    struct cnv_message message = { .kind = CNV_KIND_FINISH };

    message.finish = (struct cnv_msg_finish){ .run = RUN, .version = 3, .next = next };
    (void) snprintf(message.finish.reason, sizeof(message.finish.reason), "enough");
    hear(desk, &message, NULL, 0);
}

Test(session, who_does_not_stay_is_finished_whatever_follows, .timeout = 10)
{
    struct desk *desk = staying(CONVENE_STAY_RUN);

    hear_finish(desk, true);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_FINISHED);
    cr_assert(cnv_session_is_over(desk->session));
    desk_close(desk);
}

Test(session, who_stays_for_the_next_ends_where_none_is_queued, .timeout = 10)
{
    struct desk *desk = staying(CONVENE_STAY_NEXT);

    hear_finish(desk, false);
    cr_assert_eq(desk->event[0]->kind, CONVENE_FINISHED);
    desk_close(desk);
}

Test(session, who_stays_beats_on_and_moves_over_to_the_next_run, .timeout = 10)
{
    struct desk *desk = staying(CONVENE_STAY_NEXT);
    struct cnv_message rejoin = { .kind = CNV_KIND_REJOIN };

    hear_finish(desk, true);
    hear_finish(desk, true);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_ENDED);
    cr_assert_str_eq(desk->event[0]->text, "enough");
    desk_clear(desk);
    for (int i = 0; i < 10; i++) {
        tick(desk, BEAT);
        hear_finish(desk, true);
    }
    cr_assert_eq(desk_count(desk, CNV_KIND_BEAT), 10);
    cr_assert_eq(desk->events, 0);
    cr_assert_eq(desk->reconnects, 0U);
    hear(desk, &rejoin, NULL, 0);
    cr_assert_eq(desk_count(desk, CNV_KIND_HELLO), 1);
    hear_welcome_of(desk, RUN + 1, 1, spec_f64);
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_WELCOME);
    desk_clear(desk);
    hear_finish(desk, true); /* a late one of the run before */
    cr_assert_eq(desk->events, 0);
    desk_close(desk);
}

Test(session, who_waits_for_a_run_ends_when_it_hears_that_none_comes, .timeout = 10)
{
    struct desk *desk = staying(CONVENE_STAY_NEXT);

    hear_finish(desk, true);
    hear_finish(desk, false);
    cr_assert_eq(desk->events, 2);
    cr_assert_eq(desk->event[1]->kind, CONVENE_FINISHED);
    desk_close(desk);
}

Test(session, who_stays_with_the_server_waits_in_any_case, .timeout = 10)
{
    struct desk *desk = staying(CONVENE_STAY_SERVER);

    hear_finish(desk, false);
    cr_assert_eq(desk->event[0]->kind, CONVENE_ENDED);
    cr_assert_not(cnv_session_is_over(desk->session));
    desk_close(desk);
}

/* --- Memory -------------------------------------------------------------------------------- */

Test(session, out_of_memory_ends_it_and_leaks_nothing, .timeout = 10)
{
    bool is_done = false;

    for (uint64_t n = 1; !is_done; n++) {
        struct desk *desk = cnv_object_new(struct desk);
        double model[BIG];

        cr_assert_lt(n, 100);
        memcpy(model, big_vector(1), sizeof(model));
        cnv_mem_fail_after(n);
        if (desk_try_open(desk, "worker") == CNV_OK) {
            convene_data data = { .rows = 10, .features = 3, .labels = small, .label_count = 1 };
            convene_contribution contribution = {
                .round = 2, .attempt = 1, .values = model, .length = BIG, .samples = 1
            };
            struct cnv_message commit = { .kind = CNV_KIND_COMMIT,
                                          .commit = commit_of(1, model, BIG) };

            commit.commit.transfer = 1;
            cnv_session_connected(desk->session, desk->now);
            hear_welcome_of(desk, RUN, 1, spec_f64);
            (void) cnv_session_loaded(desk->session, desk->now, &data);
            hear_shape(desk);
            (void) cnv_session_ready(desk->session, desk->now, BIG, 0);
            hear(desk, &commit, NULL, 0);
            for (uint64_t i = 0; i < cnv_chunk_count(BIG_BYTES, CHUNK); i++) {
                struct cnv_message chunk = { .kind = CNV_KIND_CHUNK };
                const uint8_t *at = (const uint8_t *) model + i * (uint64_t) CHUNK;
                size_t len = cnv_chunk_len(BIG_BYTES, CHUNK, i);
                struct cnv_blob *payload = cnv_blob_wrap(at, len, NULL, NULL);

                chunk.chunk = (struct cnv_msg_chunk){ .transfer = 1,
                                                      .index = i,
                                                      .crc = cnv_crc32c(0, at, len) };
                if (payload != NULL) {
                    cnv_session_receive(desk->session, desk->now, CNV_BULK, &chunk, payload);
                }
                cnv_blob_unref(payload);
            }
            hear_announce(desk, 2, 1, 1, "model");
            is_done =
                cnv_session_contribute(desk->session, desk->now, &contribution, NULL) == CNV_OK &&
                desk_count(desk, CNV_KIND_OFFER) == 1;
        }
        cnv_mem_fail_after(0);
        if (is_done) {
            cr_assert_not(cnv_session_is_over(desk->session));
        }
        desk_close(desk);
    }
}
