#include <criterion/criterion.h>
#include <string.h>

#include "engine_script.h"

static const char *const one_agent[] = { "run/agents=1", NULL };
static const char *const two_agents[] = { "run/agents=2", NULL };
static const char *const room_for_two[] = { "run/agents=1", "run/shards=2", NULL };
static const char *const three_agents[] = { "run/agents=3", NULL };

static struct cnv_message hello_of(const char *name)
{
    struct cnv_message message = { .kind = CNV_KIND_HELLO };

    message.hello.version_min = 1;
    message.hello.version_max = 1;
    message.hello.instance = 5;
    (void) snprintf(message.hello.name, sizeof(message.hello.name), "%s", name);
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "worker");
    return message;
}

static void loaded_with(
    struct script *script, cnv_peer_id peer, uint64_t features, const double *labels, size_t n)
{
    struct cnv_message message = { .kind = CNV_KIND_LOADED };

    message.loaded.rows = 10;
    message.loaded.features = features;
    message.loaded.labels = n;
    script_say(script, peer, &message, labels, n * sizeof(*labels));
}

/* Fails unless the peer was refused for good with this status, and words in the text. */
static void
assert_refused(struct script *script, cnv_peer_id peer, enum cnv_status status, const char *words)
{
    const struct script_sent *error = script_last(script, peer, CNV_KIND_ERROR);

    cr_assert_not_null(error);
    cr_assert(error->message.error.fatal);
    cr_assert_eq(error->message.error.code, (uint64_t) -status);
    cr_assert(strstr(error->message.error.text, words) != NULL, "%s", error->message.error.text);
    cr_assert(script_was_dropped(script, peer));
}

Test(engine_join, welcome_carries_session_shard_and_limits, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_hello(script, 1, "a1");
    script_hello(script, 2, "a2");
    const struct script_sent *one = script_last(script, 1, CNV_KIND_WELCOME);
    const struct script_sent *two = script_last(script, 2, CNV_KIND_WELCOME);

    cr_assert_eq(one->message.welcome.run, 77);
    cr_assert_eq(one->message.welcome.server, 88);
    cr_assert_eq(one->message.welcome.shard, 1);
    cr_assert_eq(two->message.welcome.shard, 2);
    cr_assert_eq(two->message.welcome.shards, 2);
    cr_assert_eq(one->message.welcome.heartbeat_ms, 5000);
    cr_assert_eq(one->message.welcome.patience_ms, 20000);
    cr_assert_eq(one->message.welcome.chunk_bytes, 1 << 20);
    cr_assert_eq(one->message.welcome.window, 8);
    cr_assert_str_eq(one->message.welcome.bulk, "tcp://*:5551");
    cr_assert_neq(one->message.welcome.token, 0);
    cr_assert_neq(one->message.welcome.token, two->message.welcome.token);
    cr_assert_neq(one->message.welcome.incarnation, two->message.welcome.incarnation);
    cr_assert_eq(one->len, strlen("run/seed=1\n"));
    script_destroy(script);
}

Test(engine_join, small_chunks_get_a_window_of_two_slices, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "limits/chunk=4096", NULL });

    script_hello(script, 1, "a1");
    cr_assert_eq(script_last(script, 1, CNV_KIND_WELCOME)->message.welcome.window, 258);
    script_destroy(script);
}

Test(engine_join, refuses_a_protocol_it_does_not_speak_in_words, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_message message = hello_of("a1");

    message.hello.version_min = 7;
    message.hello.version_max = 9;
    script_say(script, 1, &message, NULL, 0);
    assert_refused(script, 1, CNV_E_VERSION, "a1 speaks protocol 7 to 9, this server 1 to 1");
    script_destroy(script);
}

Test(engine_join, refuses_bad_names_roles_and_other_peoples_names, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_message message = hello_of("a b");

    script_say(script, 1, &message, NULL, 0);
    assert_refused(script, 1, CNV_E_UNAUTHORIZED, "'a b' is not allowed");
    message = hello_of("");
    script_say(script, 2, &message, NULL, 0);
    assert_refused(script, 2, CNV_E_UNAUTHORIZED, "not allowed");
    message = hello_of("a1");
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "boss");
    script_say(script, 3, &message, NULL, 0);
    assert_refused(script, 3, CNV_E_UNEXPECTED, "boss");
    message = hello_of("a1");
    cnv_engine_receive(script->engine, 1000, 4, CNV_DATA, "a2", &message, NULL, 100);
    assert_refused(script, 4, CNV_E_UNAUTHORIZED, "belongs to a2, not to a1");
    cnv_engine_receive(script->engine, 1000, 5, CNV_DATA, "a1", &message, NULL, 100);
    cr_assert_eq(script_count(script, 5, CNV_KIND_WELCOME), 1);
    script_destroy(script);
}

Test(engine_join, a_stranger_is_asked_to_rejoin_on_the_channel_it_used, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_message chunk = { .kind = CNV_KIND_CHUNK };

    script_beat(script, 9, 0, 0, 0, 0);
    cr_assert_eq(script_last(script, 9, CNV_KIND_REJOIN)->message.rejoin.server, 88);
    cr_assert_eq(script_last(script, 9, CNV_KIND_REJOIN)->channel, CNV_DATA);
    script_say_bulk(script, 8, &chunk, "x", 1);
    cr_assert_eq(script_last(script, 8, CNV_KIND_REJOIN)->channel, CNV_BULK);
    script_leave(script, 7);
    cr_assert_eq(script_count(script, 7, CNV_KIND_REJOIN), 0);
    script_destroy(script);
}

Test(engine_join, malformed_headers_are_answered_and_end_nothing, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_error err = { .status = CNV_E_MALFORMED, .text = "not a header" };

    script_join_all(script, 1, 3);
    cnv_engine_malformed(script->engine, script->now_ms, 1, CNV_DATA, CNV_E_MALFORMED, &err);
    const struct script_sent *error = script_last(script, 1, CNV_KIND_ERROR);
    cr_assert_eq(error->message.error.code, 1);
    cr_assert_not(error->message.error.fatal);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_WORKING);
    script_destroy(script);
}

Test(engine_join, a_repeated_hello_changes_nothing, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_hello(script, 1, "a1");
    uint64_t token = script_last(script, 1, CNV_KIND_WELCOME)->message.welcome.token;
    script_mark(script);
    script_hello(script, 1, "a1");
    cr_assert_eq(script_last(script, 1, CNV_KIND_WELCOME)->message.welcome.token, token);
    cr_assert_eq(script_view(script).members, 1);
    script_destroy(script);
}

Test(engine_join, another_process_under_a_name_replaces_the_older, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_hello_as(script, 1, "a1", 11, 1, 2);
    script_hello_as(script, 2, "a1", 12, 1, 2);
    const struct script_sent *replaced = script_last(script, 1, CNV_KIND_REPLACED);
    cr_assert_str_eq(replaced->message.replaced.host, "host-of-a1");
    cr_assert(script_was_dropped(script, 1));
    cr_assert_eq(script_count(script, 2, CNV_KIND_WELCOME), 1);
    cr_assert_eq(script_view(script).members, 1);
    /* A late hello of the older one does not win the name back. */
    script_hello_as(script, 3, "a1", 11, 1, 2);
    cr_assert_eq(script_count(script, 3, CNV_KIND_REPLACED), 1);
    cr_assert_eq(script_count(script, 3, CNV_KIND_WELCOME), 0);
    cr_assert_eq(script_count(script, 2, CNV_KIND_REPLACED), 0);
    script_destroy(script);
}

Test(engine_join, leases_shards_and_refuses_what_is_held, .timeout = 10)
{
    struct script *script = script_new(three_agents);

    script_hello_as(script, 1, "a1", 1, 2, 3);
    script_hello(script, 2, "a2");
    cr_assert_eq(script_last(script, 2, CNV_KIND_WELCOME)->message.welcome.shard, 1);
    script_hello_as(script, 3, "a3", 3, 2, 3);
    assert_refused(script, 3, CNV_E_NO_SHARD, "shard 2 is held by a1 on host-of-a1");
    script_hello_as(script, 4, "a4", 4, 1, 8);
    assert_refused(script, 4, CNV_E_NO_SHARD, "cut into 3");
    script_hello(script, 5, "a5");
    cr_assert_eq(script_last(script, 5, CNV_KIND_WELCOME)->message.welcome.shard, 3);
    script_hello(script, 6, "a6");
    assert_refused(script, 6, CNV_E_NO_SHARD, "all 3 shards are held");
    /* A goodbye frees the shard at once. */
    script_leave(script, 2);
    script_hello(script, 7, "a7");
    cr_assert_eq(script_last(script, 7, CNV_KIND_WELCOME)->message.welcome.shard, 1);
    script_destroy(script);
}

Test(engine_join, more_shards_than_agents_leave_room_for_later_ones, .timeout = 10)
{
    struct script *script = script_new(room_for_two);

    script_hello(script, 1, "a1");
    cr_assert_eq(script_last(script, 1, CNV_KIND_WELCOME)->message.welcome.shards, 2);
    script_hello(script, 2, "a2");
    cr_assert_eq(script_last(script, 2, CNV_KIND_WELCOME)->message.welcome.shard, 2);
    script_hello(script, 3, "a3");
    assert_refused(script, 3, CNV_E_NO_SHARD, "all 2 shards are held");
    script_destroy(script);
}

Test(engine_join, labels_of_agents_that_all_left_bind_nobody, .timeout = 10)
{
    const double odd[] = { 0.0, 1.0, 2.0 };
    const double plain[] = { -1.0, 1.0 };
    struct script *script = script_new(two_agents);

    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_hello_as(script, 2, "a2", 2, 2, 2);
    loaded_with(script, 1, 3, plain, 2);
    loaded_with(script, 2, 5, odd, 3);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SHAPE)->message.shape.labels, 4);
    script_leave(script, 1);
    script_leave(script, 2);
    script_hello_as(script, 3, "a1", 3, 1, 2);
    script_hello_as(script, 4, "a2", 4, 2, 2);
    loaded_with(script, 3, 3, plain, 2);
    loaded_with(script, 4, 3, plain, 2);
    cr_assert_eq(script_last(script, 4, CNV_KIND_SHAPE)->message.shape.labels, 2);
    cr_assert_eq(script_last(script, 4, CNV_KIND_SHAPE)->message.shape.features, 3);
    script_destroy(script);
}

Test(engine_join, rows_that_could_overflow_their_sum_are_refused, .timeout = 10)
{
    struct script *script = script_new(two_agents);
    struct cnv_message message = { .kind = CNV_KIND_LOADED };
    const double labels[] = { -1.0, 1.0 };

    message.loaded.rows = UINT64_MAX - 2999;
    message.loaded.features = 3;
    message.loaded.labels = 2;
    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_say(script, 1, &message, labels, sizeof(labels));
    assert_refused(script, 1, CNV_E_MISFIT, "allowed are 1 to");
    script_destroy(script);
}

Test(engine_join, agents_with_data_of_their_own_join_side_by_side, .timeout = 10)
{
    struct script *script = script_new(three_agents);

    script_hello_as(script, 1, "north", 1, 1, 1);
    script_hello_as(script, 2, "south", 2, 1, 1);
    cr_assert_eq(script_last(script, 2, CNV_KIND_WELCOME)->message.welcome.shard, 1);
    cr_assert_eq(script_last(script, 2, CNV_KIND_WELCOME)->message.welcome.shards, 1);
    /* Beside a division of data that others share. */
    script_hello_as(script, 3, "a1", 3, 1, 3);
    cr_assert_eq(script_last(script, 3, CNV_KIND_WELCOME)->message.welcome.shards, 3);
    cr_assert_eq(script_member(script, "north").state, CNV_MEMBER_JOINING);
    script_destroy(script);
}

Test(engine_join, a_lost_holder_gives_way_and_a_living_one_does_not, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_join_all(script, 2, 3);
    script_gone(script, 2);
    script_hello(script, 3, "a3");
    cr_assert_eq(script_last(script, 3, CNV_KIND_WELCOME)->message.welcome.shard, 2);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_LEFT);
    cr_assert(strstr(script_member(script, "a2").why, "a3 took over shard 2") != NULL);
    script_hello_as(script, 4, "a2", 2, 0, 0);
    assert_refused(script, 4, CNV_E_NO_SHARD, "all 2 shards are held");
    script_destroy(script);
}

Test(engine_join, who_comes_back_gets_its_own_shard, .timeout = 10)
{
    struct script *script = script_new(three_agents);

    script_hello(script, 1, "a1");
    script_hello(script, 2, "a2");
    script_hello(script, 3, "a3");
    script_leave(script, 1);
    script_leave(script, 3);
    script_hello_as(script, 4, "a3", 40, 0, 0);
    cr_assert_eq(script_last(script, 4, CNV_KIND_WELCOME)->message.welcome.shard, 3);
    script_destroy(script);
}

Test(engine_join, shape_is_the_union_whatever_the_order, .timeout = 10)
{
    const double labels[3][2] = { { 1, 3 }, { -1, 1 }, { 2, 3 } };

    for (size_t first = 0; first < 3; first++) {
        struct script *script = script_new(three_agents);

        for (size_t k = 0; k < 3; k++) {
            uint32_t i = (uint32_t) (first + k) % 3;

            script_hello_as(script, i + 1, i == 0 ? "a" : i == 1 ? "b" : "c", i + 1, i + 1, 3);
            loaded_with(script, i + 1, 5 + i, labels[i], 2);
        }
        const struct script_sent *shape = script_last(script, 1, CNV_KIND_SHAPE);
        const double map[] = { -1, 1, 2, 3 };
        cr_assert_eq(shape->message.shape.features, 7);
        cr_assert_eq(shape->message.shape.rows, 30);
        cr_assert_eq(shape->message.shape.labels, 4);
        cr_assert_arr_eq(shape->bytes, map, sizeof(map));
        cr_assert_eq(script_view(script).total_rows, 30);
        script_destroy(script);
    }
}

Test(engine_join, refuses_a_later_misfit_by_name, .timeout = 10)
{
    const double labels[] = { -1, 1 };
    const double other[] = { -1, 2 };
    const double unsorted[] = { 1, -1 };
    struct script *script = script_new((const char *const[]){ "run/agents=1", NULL });

    script_hello_as(script, 1, "a1", 1, 1, 9);
    script_loaded(script, 1);
    script_ready(script, 1, 3);
    script_hello_as(script, 2, "wide", 2, 2, 9);
    loaded_with(script, 2, 4, labels, 2);
    assert_refused(script, 2, CNV_E_MISFIT, "wide has feature 4, the run has features up to 3");
    script_hello_as(script, 3, "odd", 3, 3, 9);
    loaded_with(script, 3, 3, other, 2);
    assert_refused(script, 3, CNV_E_MISFIT, "odd has label 2");
    script_hello_as(script, 4, "real", 4, 4, 9);
    loaded_with(script, 4, 3, NULL, 0);
    assert_refused(script, 4, CNV_E_MISFIT, "real has real targets");
    script_hello_as(script, 5, "mixed", 5, 5, 9);
    loaded_with(script, 5, 3, unsorted, 2);
    assert_refused(script, 5, CNV_E_MISFIT, "labels of mixed");
    script_hello_as(script, 6, "big", 6, 6, 9);
    loaded_with(script, 6, 3, labels, 2);
    script_ready(script, 6, 4);
    assert_refused(script, 6, CNV_E_MISFIT, "big has a model of 4 coordinates, the run's has 3");
    cr_assert_eq(script_member(script, "big").state, CNV_MEMBER_LEFT);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_WORKING);
    script_destroy(script);
}

Test(engine_join, refuses_data_without_rows_and_a_model_beyond_the_limit, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "limits/dimension=10", NULL });
    struct cnv_message message = { .kind = CNV_KIND_LOADED };

    script_hello(script, 1, "a1");
    script_say(script, 1, &message, NULL, 0);
    assert_refused(script, 1, CNV_E_MISFIT, "a1 has 0 rows");
    script_load(script, 2, "a2");
    script_ready(script, 2, 11);
    assert_refused(script, 2, CNV_E_MISFIT, "limits/dimension allows 10");
    script_load(script, 3, "a3");
    script_ready(script, 3, 0);
    assert_refused(script, 3, CNV_E_MISFIT, "0 coordinates");
    script_destroy(script);
}

Test(engine_join, ready_before_shape_is_unexpected_and_ends_nothing, .timeout = 10)
{
    struct script *script = script_new(two_agents);

    script_hello(script, 1, "a1");
    script_ready(script, 1, 3);
    cr_assert_eq(script_last(script, 1, CNV_KIND_ERROR)->message.error.code, 4);
    cr_assert_eq(script_member(script, "a1").state, CNV_MEMBER_JOINING);
    script_destroy(script);
}

Test(engine_join, mixed_labels_and_targets_are_refused_whoever_was_first, .timeout = 10)
{
    const double labels[] = { 0, 1 };

    for (int order = 0; order < 2; order++) {
        struct script *script = script_new(two_agents);
        cnv_peer_id real = order == 0 ? 1 : 2;

        script_hello_as(script, real, "real", 10, 1, 2);
        script_hello_as(script, 3 - real, "labelled", 11, 2, 2);
        for (cnv_peer_id peer = 1; peer <= 2; peer++) {
            loaded_with(script, peer, 3, labels, peer == real ? 0 : 2);
        }
        assert_refused(script, real, CNV_E_MISFIT, "real has real targets");
        cr_assert_eq(script_member(script, "labelled").state, CNV_MEMBER_JOINING);
        script_destroy(script);
    }
}

Test(engine_join, labels_of_all_have_to_fit_in_a_message, .timeout = 10)
{
    enum { MOST = 8192, HALF = MOST / 2 };
    static double labels[MOST];
    struct script *script = script_new(two_agents);

    for (size_t i = 0; i < MOST; i++) {
        labels[i] = (double) i;
    }
    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_hello_as(script, 2, "a2", 2, 2, 2);
    loaded_with(script, 1, 3, labels, HALF);
    labels[MOST - 1] = MOST + 1.0;
    loaded_with(script, 2, 3, labels + HALF - 1, HALF + 1); /* one in common, MOST in all */
    cr_assert_eq(script_last(script, 2, CNV_KIND_SHAPE)->message.shape.labels, MOST);
    script_destroy(script);

    script = script_new(two_agents);
    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_hello_as(script, 2, "a2", 2, 2, 2);
    loaded_with(script, 2, 3, labels + HALF - 1, HALF + 1);
    labels[0] = -1.0;
    labels[HALF - 1] = HALF - 1.5;
    loaded_with(script, 1, 3, labels, HALF); /* one more */
    assert_refused(script, 2, CNV_E_MISFIT, "a2 has 4097 labels, those of all are more than 8192");
    cr_assert_eq(script_view(script).state, CNV_RUN_WAITING);
    script_hello_as(script, 3, "a2", 3, 2, 2);
    loaded_with(script, 3, 3, labels, HALF);
    cr_assert_eq(script_last(script, 1, CNV_KIND_SHAPE)->message.shape.labels, HALF);
    script_destroy(script);
}

Test(engine_join, limits_members, .timeout = 10)
{
    struct script *script =
        script_new((const char *const[]){ "run/agents=2", "limits/members=2", NULL });

    script_hello_as(script, 1, "a1", 1, 1, 5);
    script_hello_as(script, 2, "a2", 2, 2, 5);
    script_hello_as(script, 3, "a3", 3, 3, 5);
    assert_refused(script, 3, CNV_E_FULL, "limits/members=2");
    script_leave(script, 1);
    script_hello_as(script, 4, "a4", 4, 4, 5);
    cr_assert_eq(script_count(script, 4, CNV_KIND_WELCOME), 1);
    cr_assert_eq(script_view(script).members, 2);
    script_destroy(script);
}

Test(engine_join, a_late_joiner_enters_at_the_next_round, .timeout = 10)
{
    struct script *script = script_new((const char *const[]){ "run/agents=1", NULL });

    script_hello_as(script, 1, "a1", 1, 1, 2);
    script_loaded(script, 1);
    script_ready(script, 1, 3);
    script_hello_as(script, 2, "a2", 2, 2, 2);
    script_loaded(script, 2);
    script_ready(script, 2, 3);
    cr_assert_eq(script_count(script, 2, CNV_KIND_COMMIT), 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_ANNOUNCE), 0);
    cr_assert_eq(script_member(script, "a2").state, CNV_MEMBER_READY);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_not(script_last(script, 2, CNV_KIND_COMMIT)->message.commit.counted);
    cr_assert_eq(script_last(script, 2, CNV_KIND_ANNOUNCE)->message.announce.round, 2);
    script_offer(script, 1, 1.0);
    cr_assert_eq(script_view(script).version, 1);
    script_offer(script, 2, 3.0);
    cr_assert_eq(script_view(script).version, 2);
    cr_assert_eq(script_model(script, 0), 3.0);
    script_destroy(script);
}

Test(engine_join, a_follower_receives_each_commit_and_is_not_waited_for, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_message message = hello_of("f1");

    (void) snprintf(message.hello.role, sizeof(message.hello.role), "follower");
    script_say(script, 9, &message, NULL, 0);
    cr_assert_eq(script_last(script, 9, CNV_KIND_WELCOME)->message.welcome.shard, 0);
    cr_assert_eq(script_count(script, 9, CNV_KIND_COMMIT), 0);
    script_join_all(script, 1, 3);
    script_offer(script, 1, 2.0);
    cr_assert_eq(script_view(script).version, 1);
    cr_assert_eq(script_last(script, 9, CNV_KIND_COMMIT)->message.commit.version, 1);
    cr_assert_eq(script_count(script, 9, CNV_KIND_ANNOUNCE), 0);
    /* One that comes later gets the newest at once. */
    message = hello_of("f2");
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "follower");
    script_say(script, 8, &message, NULL, 0);
    cr_assert_eq(script_last(script, 8, CNV_KIND_COMMIT)->message.commit.version, 1);
    script_destroy(script);
}

Test(engine_join, after_the_end_a_worker_hears_finish_and_a_follower_the_model, .timeout = 10)
{
    struct script *script = script_new(one_agent);
    struct cnv_message message = hello_of("f1");

    script_join_all(script, 1, 3);
    cnv_engine_stop(script->engine, script->now_ms, "enough");
    script_hello(script, 5, "late");
    cr_assert_str_eq(script_last(script, 5, CNV_KIND_FINISH)->message.finish.reason,
                     "stopped: enough");
    (void) snprintf(message.hello.role, sizeof(message.hello.role), "follower");
    script_say(script, 9, &message, NULL, 0);
    cr_assert_eq(script_count(script, 9, CNV_KIND_COMMIT), 1);
    cr_assert_eq(script_count(script, 9, CNV_KIND_FINISH), 1);
    script_destroy(script);
}

Test(engine_join, start_is_zeros_or_ones, .timeout = 10)
{
    struct script *zeros = script_new(one_agent);
    script_join_all(zeros, 1, 3);
    cr_assert_eq(script_model(zeros, 2), 0.0);
    script_destroy(zeros);

    struct script *ones = script_new((const char *const[]){ "run/start=ones", NULL });
    script_join_all(ones, 1, 3);
    cr_assert_eq(script_model(ones, 2), 1.0);
    script_destroy(ones);
}

/* Agents move over to the next run in any order. */
Test(engine_join, agents_of_the_run_before_get_their_shards_back, .timeout = 10)
{
    struct script *script = script_new(three_agents);

    script_hello_as(script, 1, "a1", 1, 1, 3);
    script_hello_as(script, 2, "a2", 2, 2, 3);
    script_hello(script, 3, "auto");
    script_next_run(script);
    cr_assert_eq(script_member(script, "auto").state, CNV_MEMBER_LEFT);
    script_hello(script, 3, "auto");
    cr_assert_eq(script_last(script, 3, CNV_KIND_WELCOME)->message.welcome.shard, 3);
    script_hello_as(script, 2, "a2", 2, 2, 3);
    script_hello_as(script, 1, "a1", 1, 1, 3);
    cr_assert_eq(script_count(script, 1, CNV_KIND_WELCOME), 1);
    cr_assert_eq(script_count(script, 2, CNV_KIND_WELCOME), 1);
    cr_assert_eq(script_view(script).members, 3);
    script_destroy(script);
}

Test(engine_join, another_agent_gets_the_shard_of_one_that_was_lost, .timeout = 10)
{
    struct script *script = script_new(three_agents);

    script_hello_as(script, 1, "a1", 1, 1, 3);
    script_hello_as(script, 2, "a2", 2, 2, 3);
    script_hello(script, 3, "auto");
    script_gone(script, 3);
    script_next_run(script);
    script_hello(script, 4, "new");
    cr_assert_eq(script_last(script, 4, CNV_KIND_WELCOME)->message.welcome.shard, 3);
    /* What nobody has come for is anybody's. */
    script_hello(script, 5, "newer");
    cr_assert_eq(script_last(script, 5, CNV_KIND_WELCOME)->message.welcome.shard, 1);
    script_destroy(script);
}
