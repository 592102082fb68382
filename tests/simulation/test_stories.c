/*
 * test_stories.c - what happens to a run when one thing goes wrong, told step by step.
 *
 * Every step also checks the promises (sim/promises.c): a story that ends well has kept them all.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "story.h"
#include "world.h"

enum { BIG = 10000 }; /* coordinates: 80,000 bytes, 20 chunks */

static void start(struct world *world)
{
    struct cnv_error err = { 0 };

    cr_assert_eq(world_start(world, NULL, &err), CNV_OK, "%s", err.text);
}

static struct cnv_sim_agent_view agent_of(const struct world *world, size_t agent)
{
    struct cnv_sim_agent_view view;

    cnv_sim_agent(world->sim, agent, &view);
    return view;
}

static void run_until_version(struct world *world, uint64_t version)
{
    while (view_of(world).version < version) {
        cr_assert(step(world), "the run ends before version %lu", (unsigned long) version);
    }
}

static void run_until_chunk_from(struct world *world, size_t agent, uint64_t chunks)
{
    while (agent_of(world, agent).chunks_up < chunks) {
        cr_assert(step(world));
    }
}

static void run_for_ms(struct world *world, uint64_t ms)
{
    uint64_t end = cnv_sim_now_ms(world->sim) + ms;

    while (cnv_sim_now_ms(world->sim) < end && step(world)) {
    }
}

static void run_to_the_end(struct world *world)
{
    while (step(world)) {
    }
    cr_assert_eq(view_of(world).state, CNV_RUN_FINISHED, "%s", view_of(world).state_reason);
}

/* The digest of the final model; also ends the world. */
static uint32_t finish(struct world *world)
{
    run_to_the_end(world);
    uint32_t digest = view_of(world).digest;
    cr_assert(world_fini(world), "blobs are left");
    return digest;
}

static struct cnv_member_view member_of(const struct world *world, size_t agent)
{
    struct cnv_member_view member;

    cr_assert(
        cnv_engine_member(cnv_sim_engine(world->sim), cnv_sim_now_ms(world->sim), agent, &member));
    return member;
}

static struct cnv_round_row row_of(const struct world *world, size_t row)
{
    struct cnv_round_row values;

    cnv_engine_row(cnv_sim_engine(world->sim), row, &values);
    return values;
}

Test(stories, undisturbed_run_commits_every_round, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    start(&world);
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 4);
    cr_assert_eq(cnv_engine_rows(cnv_sim_engine(world.sim)), 5);
    cr_assert_lt(row_of(&world, 4).loss, row_of(&world, 0).loss);
    cr_assert_eq(view_of(&world).test_rows, 60);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(member_of(&world, i).rounds, 4);
        cr_assert(agent_of(&world, i).is_over);
    }
    cr_assert(world_fini(&world));
}

Test(stories, closes_without_an_agent_that_died_while_uploading, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set_features(&world, BIG);
    start(&world);
    run_until_chunk_from(&world, 2, 3);
    cnv_sim_kill(world.sim, 2);
    run_until_version(&world, 1);
    cr_assert_eq(row_of(&world, 0).contributors, 2);
    cr_assert_eq(member_of(&world, 2).state, CNV_MEMBER_LOST);
    finish(&world);
}

Test(stories, killed_agent_is_known_lost_at_once, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world.faults.step_ms = 1000;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_kill(world.sim, 1);
    run_for_ms(&world, 500);
    cr_assert_eq(member_of(&world, 1).state, CNV_MEMBER_LOST);
    finish(&world);
}

/* The final bits of a run, whose last agent is killed after so many chunks and comes back. */
static uint32_t
digest_of(const char *solver, size_t features, uint64_t kill_at_chunk, uint64_t away_ms)
{
    struct world world;

    world_init(&world, 3);
    world.faults.step_ms = 50;
    world.faults.until_ms = 1;
    world_set_features(&world, features);
    world_set(&world, "solver/kind", solver);
    world_set(&world, "solver/cg-above", "100");
    start(&world);
    if (kill_at_chunk > 0) {
        run_until_chunk_from(&world, 2, kill_at_chunk);
        cnv_sim_kill(world.sim, 2);
        run_for_ms(&world, away_ms);
        cnv_sim_revive(world.sim, 2);
    }
    return finish(&world);
}

Test(stories, killed_and_back_in_time_leaves_the_same_bits, .timeout = 60)
{
    uint32_t calm = digest_of("sgd", BIG, 0, 0);

    for (uint64_t chunk = 1; chunk < 70; chunk += 13) {
        cr_assert_eq(
            digest_of("sgd", BIG, chunk, 1000), calm, "killed at chunk %lu", (unsigned long) chunk);
    }
    cr_assert_neq(digest_of("sgd", BIG, 1, 20000), calm, "too late: the round went on without it");
}

Test(stories, killed_and_back_in_time_leaves_the_same_bits_with_giant, .timeout = 60)
{
    uint32_t calm = digest_of("giant", BIG, 0, 0);

    for (uint64_t chunk = 5; chunk < 100; chunk += 23) {
        cr_assert_eq(digest_of("giant", BIG, chunk, 1000),
                     calm,
                     "killed at chunk %lu",
                     (unsigned long) chunk);
    }
}

Test(stories, late_joiner_enters_at_the_next_round, .timeout = 20)
{
    struct world world;
    struct cnv_error err = { 0 };
    size_t late = 0;

    world_init(&world, 2);
    world.setup.shards = 3;
    world.faults.step_ms = 100;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 2);
    cr_assert_eq(cnv_sim_add(world.sim, "worker", 3, &late, &err), CNV_OK, "%s", err.text);
    run_to_the_end(&world);
    cr_assert_eq(row_of(&world, 0).contributors, 2);
    cr_assert_eq(row_of(&world, 3).contributors, 3);
    cr_assert_geq(member_of(&world, 2).rounds, 1);
    cr_assert(world_fini(&world));
}

Test(stories, shard_is_leased_to_who_asks_for_one, .timeout = 20)
{
    struct world world;
    struct cnv_error err = { 0 };
    size_t late = 0;

    world_init(&world, 2);
    world.setup.shards = 3;
    world.faults.step_ms = 100;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cr_assert_eq(cnv_sim_add(world.sim, "worker", 0, &late, &err), CNV_OK, "%s", err.text);
    run_to_the_end(&world);
    cr_assert_eq(member_of(&world, 2).shard, 3);
    cr_assert(world_fini(&world));
}

Test(stories, follower_receives_every_model, .timeout = 20)
{
    struct world world;
    struct cnv_error err = { 0 };
    size_t follower = 0;

    world_init(&world, 2);
    world_set_features(&world, BIG);
    world.faults.step_ms = 100;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cr_assert_eq(cnv_sim_add(world.sim, "follower", 0, &follower, &err), CNV_OK, "%s", err.text);
    while (view_of(&world).state == CNV_RUN_RUNNING || view_of(&world).state == CNV_RUN_WAITING) {
        cr_assert(step(&world));
        cr_assert_leq(view_of(&world).version, agent_of(&world, follower).version + 2);
    }
    cr_assert_gt(agent_of(&world, follower).version, 1);
    finish(&world);
}

Test(stories, waits_when_all_have_died_and_goes_on_when_they_return, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    start(&world);
    run_until_version(&world, 2);
    for (size_t i = 0; i < 3; i++) {
        cnv_sim_kill(world.sim, i);
    }
    run_for_ms(&world, 30000);
    cr_assert_eq(view_of(&world).state, CNV_RUN_WAITING);
    cr_assert_neq(view_of(&world).state_reason[0], '\0');
    cr_assert_eq(view_of(&world).version, 2);
    for (size_t i = 0; i < 3; i++) {
        cnv_sim_revive(world.sim, i);
    }
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 4);
    cr_assert(world_fini(&world));
}

Test(stories, all_dead_and_back_leave_the_same_bits, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    start(&world);
    uint32_t calm = finish(&world);
    world_init(&world, 3);
    start(&world);
    run_until_version(&world, 2);
    for (size_t i = 0; i < 3; i++) {
        cnv_sim_kill(world.sim, i);
    }
    run_for_ms(&world, 30000);
    for (size_t i = 0; i < 3; i++) {
        cnv_sim_revive(world.sim, i);
    }
    cr_assert_eq(finish(&world), calm);
}

Test(stories, goodbye_is_not_waited_for, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set(&world, "sync/rejoin", "30");
    world.faults.step_ms = 500;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_leave(world.sim, 1);
    run_until_version(&world, 2);
    cr_assert_lt(cnv_sim_now_ms(world.sim), 10000);
    cr_assert_eq(row_of(&world, 1).contributors, 2);
    cr_assert_eq(member_of(&world, 1).state, CNV_MEMBER_LEFT);
    cnv_sim_revive(world.sim, 1);
    run_to_the_end(&world);
    cr_assert_eq(row_of(&world, 3).contributors, 3);
    cr_assert(world_fini(&world));
}

Test(stories, newer_process_of_a_name_replaces_the_older, .timeout = 20)
{
    struct world world;
    struct cnv_error err = { 0 };
    size_t twin = 0;

    world_init(&world, 3);
    world.faults.step_ms = 200;
    world.faults.until_ms = 1;
    start(&world);
    uint32_t calm = finish(&world);

    world_init(&world, 3);
    world.faults.step_ms = 200;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cr_assert_eq(cnv_sim_twin(world.sim, 1, &twin, &err), CNV_OK, "%s", err.text);
    run_until_version(&world, 2);
    cr_assert(agent_of(&world, 1).is_replaced);
    cr_assert_not(agent_of(&world, 1).is_alive);
    cr_assert(agent_of(&world, twin).is_alive);
    cr_assert_eq(finish(&world), calm, "it is the same member with the same data");
}

Test(stories, frozen_and_replaced_process_stops_when_it_wakes, .timeout = 20)
{
    struct world world;
    struct cnv_error err = { 0 };
    size_t twin = 0;

    world_init(&world, 3);
    world_set(&world, "run/rounds", "30");
    world.faults.step_ms = 200;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_freeze(world.sim, 1);
    run_for_ms(&world, 6000);
    cr_assert_eq(cnv_sim_twin(world.sim, 1, &twin, &err), CNV_OK, "%s", err.text);
    run_for_ms(&world, 1000);
    cnv_sim_thaw(world.sim, 1);
    run_for_ms(&world, 1000);
    cr_assert(agent_of(&world, 1).is_replaced);
    cr_assert_not(agent_of(&world, 1).is_alive);
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 30);
    cr_assert(world_fini(&world));
}

Test(stories, frozen_longer_than_patience_is_left_out_and_taken_back, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set(&world, "run/rounds", "40");
    world.faults.step_ms = 200;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 2);
    cnv_sim_freeze(world.sim, 0);
    run_for_ms(&world, 6000);
    cr_assert_eq(member_of(&world, 0).state, CNV_MEMBER_LOST);
    uint64_t version = view_of(&world).version;
    cr_assert_gt(version, 2, "the others go on");
    cnv_sim_thaw(world.sim, 0);
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 40);
    cr_assert_gt(member_of(&world, 0).rounds, 2, "it takes part again");
    cr_assert_lt(member_of(&world, 0).rounds, 40);
    cr_assert(world_fini(&world));
}

Test(stories, cut_links_are_made_anew_within_the_round, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set_features(&world, BIG);
    start(&world);
    uint32_t calm = finish(&world);
    world_init(&world, 3);
    world_set_features(&world, BIG);
    start(&world);
    run_until_chunk_from(&world, 1, 4);
    cnv_sim_cut(world.sim, 1);
    run_until_chunk_from(&world, 0, 30);
    cnv_sim_cut(world.sim, 0);
    cr_assert_eq(finish(&world), calm);
}

Test(stories, contribution_that_is_not_finite_is_left_out_by_name, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_poison(world.sim, 1);
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 4);
    cr_assert_eq(member_of(&world, 1).refused, 1);
    cr_assert_eq(agent_of(&world, 1).refused, 1);
    cr_assert_eq(member_of(&world, 1).rounds, 3);
    cr_assert_eq(member_of(&world, 0).rounds, 4);
    cr_assert(world_fini(&world));
}

Test(stories, large_contribution_that_is_not_finite_is_left_out_too, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set_features(&world, BIG);
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_poison(world.sim, 1);
    run_to_the_end(&world);
    cr_assert_eq(member_of(&world, 1).refused, 1);
    cr_assert_eq(member_of(&world, 1).rounds, 3);
    cr_assert_eq(member_of(&world, 0).rounds, 4);
    cr_assert(world_fini(&world));
}

Test(stories, three_rounds_without_a_valid_contribution_fail_the_run, .timeout = 20)
{
    struct world world;

    world_init(&world, 2);
    start(&world);
    while (step(&world)) {
        cnv_sim_poison(world.sim, 0);
        cnv_sim_poison(world.sim, 1);
    }
    cr_assert_eq(view_of(&world).state, CNV_RUN_FAILED);
    cr_assert_not_null(
        strstr(view_of(&world).state_reason, "finite"), "%s", view_of(&world).state_reason);
    cr_assert(world_fini(&world));
}

static uint32_t digest_with(const char *chunk, const char *window, bool defers)
{
    struct world world;

    world_init(&world, 3);
    world_set_features(&world, 200000); /* four slices */
    world_set(&world, "run/rounds", "2");
    world_set(&world, "limits/chunk", chunk);
    world_set(&world, "limits/window", window);
    world.faults.defers_jobs = defers;
    world.faults.delay_ms = 30;
    world.faults.step_ms = 30;
    start(&world);
    return finish(&world);
}

Test(stories, chunk_sizes_windows_and_job_orders_give_the_same_bits, .timeout = 60)
{
    uint32_t digest = digest_with("1048576", "8", false);

    cr_assert_eq(digest_with("4096", "1", false), digest);
    cr_assert_eq(digest_with("5000", "3", true), digest);
    cr_assert_eq(digest_with("65536", "8", true), digest);
}

Test(stories, drain_finishes_the_round_in_hand, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world.faults.step_ms = 300;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_drain(world.sim, "operator");
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 2);
    cr_assert(world_fini(&world));
}

Test(stories, stop_gives_up_the_round_in_hand, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world.faults.step_ms = 300;
    world.faults.until_ms = 1;
    start(&world);
    run_until_version(&world, 1);
    cnv_sim_stop(world.sim, "operator");
    run_to_the_end(&world);
    cr_assert_eq(view_of(&world).version, 1);
    cr_assert(world_fini(&world));
}

Test(stories, a_hundred_agents_make_one_model, .timeout = 60)
{
    struct world world;

    world_init(&world, 100);
    world.faults.delay_ms = 50;
    start(&world);
    run_to_the_end(&world);
    cr_assert_eq(row_of(&world, 3).contributors, 100);
    cr_assert(world_fini(&world));
}

Test(stories, adaptive_l_ends_in_giant, .timeout = 20)
{
    struct world world;

    world_init(&world, 3);
    world_set(&world, "policy/kind", "adaptive-l");
    world_set(&world, "policy/delta", "inf");
    world_set(&world, "run/rounds", "8");
    start(&world);
    run_to_the_end(&world);
    cr_assert_str_eq(view_of(&world).solver, "giant", "%s", view_of(&world).reason);
    cr_assert(world_fini(&world));
}

Test(stories, same_seed_same_trace, .timeout = 20)
{
    char *texts[2] = { NULL, NULL };
    size_t sizes[2] = { 0, 0 };

    for (int i = 0; i < 2; i++) {
        struct world world;
        struct cnv_error err = { 0 };
        FILE *trace = open_memstream(&texts[i], &sizes[i]);

        cr_assert_not_null(trace);
        world_draw(&world, 5);
        cr_assert_eq(world_start(&world, trace, &err), CNV_OK, "%s", err.text);
        for (int steps = 0; steps < 3000 && step(&world); steps++) {
        }
        cr_assert(world_fini(&world));
        (void) fclose(trace);
    }
    cr_assert_eq(sizes[0], sizes[1]);
    cr_assert_arr_eq(texts[0], texts[1], sizes[0]);
    cr_assert_gt(sizes[0], 1000);
    free(texts[0]);
    free(texts[1]);
}
