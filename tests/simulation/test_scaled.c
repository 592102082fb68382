/*
 * test_scaled.c - SAVIC with one round trip, whose agents keep nothing but momentum: without that,
 * whoever dies or comes late, the model and the matrix beside it have the same bits in the end.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "story.h"
#include "world.h"

enum { BIG = 10000, ROUNDS = 6 };

static void start(struct world *world, const char *scaling, size_t features)
{
    struct cnv_error err = { 0 };

    world_init(world, 3);
    world_set_features(world, features);
    world_set_number(world, "run/rounds", ROUNDS);
    world_set(world, "solver/kind", "savic");
    world_set(world, "solver/scaling", scaling);
    world_set(world, "solver/beta1", "0");
    world_set(world, "optimiser/kind", "scaled");
    world_set(world, "policy/kind", "fixed");
    world_set(world, "sync/rejoin", "10");
    world->faults.delay_ms = 20;
    cr_assert_eq(world_start(world, NULL, &err), CNV_OK, "%s", err.text);
}

static uint32_t finish(struct world *world)
{
    while (step(world)) {
    }
    struct cnv_engine_view view = view_of(world);
    cr_assert_eq(view.state, CNV_RUN_FINISHED, "%s", view.state_reason);
    cr_assert_eq(view.version, ROUNDS);
    cr_assert(world_fini(world), "blobs are left");
    return view.digest;
}

/* Kills agent 1 so many events after that version, and revives it 300 ms later. */
static uint32_t with_a_kill(const char *scaling, size_t features, uint64_t version, int events)
{
    struct world world;

    start(&world, scaling, features);
    while (view_of(&world).version < version) {
        cr_assert(step(&world));
    }
    for (int i = 0; i < events; i++) {
        cr_assert(step(&world));
    }
    cnv_sim_kill(world.sim, 1);
    uint64_t end = cnv_sim_now_ms(world.sim) + 300;
    while (cnv_sim_now_ms(world.sim) < end && step(&world)) {
    }
    cnv_sim_revive(world.sim, 1);
    return finish(&world);
}

Test(scaled, a_new_process_has_the_matrix_before_its_first_step, .timeout = 60)
{
    static const char *const scalings[] = { "adam", "oasis" };

    for (size_t s = 0; s < 2; s++) {
        struct world world;

        start(&world, scalings[s], 6);
        uint32_t digest = finish(&world);
        for (uint64_t version = 1; version < 4; version++) {
            for (int events = 0; events < 24; events += 3) {
                cr_assert_eq(with_a_kill(scalings[s], 6, version, events),
                             digest,
                             "%s, killed %d events after version %d",
                             scalings[s],
                             events,
                             (int) version);
            }
        }
    }
}

Test(scaled, the_same_where_vectors_go_by_chunks, .timeout = 60)
{
    struct world world;

    start(&world, "adam", BIG);
    uint32_t digest = finish(&world);
    for (int events = 0; events < 200; events += 40) {
        cr_assert_eq(with_a_kill("adam", BIG, 2, events), digest, "killed %d events later", events);
    }
}

/* Virtual time until the last commit, with messages that take so long. */
static uint64_t time_of(const char *optimiser, uint32_t delay_ms)
{
    struct world world;
    struct cnv_error err = { 0 };

    world_init(&world, 3);
    world_set_number(&world, "run/rounds", 20);
    world_set(&world, "solver/kind", "savic");
    world_set(&world, "optimiser/kind", optimiser);
    world_set(&world, "policy/kind", "fixed");
    world_set(&world, "policy/evaluate", "0");
    world.faults.delay_ms = delay_ms;
    cr_assert_eq(world_start(&world, NULL, &err), CNV_OK, "%s", err.text);
    while (view_of(&world).version < 1) {
        cr_assert(step(&world));
    }
    uint64_t first_ms = cnv_sim_now_ms(world.sim);
    while (view_of(&world).version < 20) {
        cr_assert(step(&world));
    }
    uint64_t last_ms = cnv_sim_now_ms(world.sim);
    while (step(&world)) {
    }
    cr_assert(world_fini(&world));
    return last_ms - first_ms;
}

Test(scaled, a_round_takes_half_the_journeys, .timeout = 20)
{
    uint64_t one = time_of("scaled", 100);
    uint64_t two = time_of("none", 100);

    cr_assert_lt(one, (two * 6) / 10, "%lu of %lu ms", (unsigned long) one, (unsigned long) two);
}
