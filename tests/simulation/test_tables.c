/* test_tables.c - what an agent takes with it when it dies, where it remembers and where the server
 * does. */
#include <criterion/criterion.h>
#include <math.h>

#include "story.h"
#include "world.h"

enum { ROUNDS = 4000, KILLED_AT = 100 };

/* A run of ISEGA, its agents remembering or the server. In the middle the second agent may die; it
 * comes back as another process, or another agent takes its shard over. Returns the final loss. */
enum fate { LIVES, RETURNS, IS_REPLACED };

static double loss_of(const char *solver, const char *optimiser, enum fate fate)
{
    struct world world;
    struct cnv_error err = { 0 };
    struct cnv_round_row last;
    size_t number = 0;

    world_init(&world, 4);
    world_set(&world, "solver/kind", solver);
    world_set(&world, "solver/smoothness", "8");
    world_set(&world, "optimiser/kind", optimiser);
    world_set(&world, "encoding/up", "blocks");
    world_set(&world, "encoding/block", "1");
    world_set(&world, "encoding/fraction", "0.5");
    world_set(&world, "run/rounds", "4000");
    world_set(&world, "policy/evaluate", "4000");
    world_set(&world, "policy/local-steps", "1");
    world.faults.delay_ms = 2;
    cr_assert_eq(world_start(&world, NULL, &err), CNV_OK, "%s", err.text);
    while (fate != LIVES && view_of(&world).version < KILLED_AT) {
        cr_assert(step(&world));
    }
    if (fate != LIVES) {
        uint64_t end = cnv_sim_now_ms(world.sim) + 50;

        cnv_sim_kill(world.sim, 1);
        while (cnv_sim_now_ms(world.sim) < end) {
            cr_assert(step(&world));
        }
    }
    if (fate == RETURNS) {
        cnv_sim_revive(world.sim, 1);
    } else if (fate == IS_REPLACED) {
        cr_assert_eq(cnv_sim_add(world.sim, "worker", 2, &number, &err), CNV_OK, "%s", err.text);
    }
    while (step(&world)) {
    }
    cr_assert_eq(view_of(&world).state, CNV_RUN_FINISHED, "%s", view_of(&world).state_reason);
    cr_assert_eq(view_of(&world).version, ROUNDS);
    cnv_engine_row(cnv_sim_engine(world.sim), ROUNDS, &last);
    cr_assert(world_fini(&world), "blobs are left");
    return last.loss;
}

Test(tables, an_agent_that_dies_takes_nothing_of_isega_with_it, .timeout = 120)
{
    double loss = loss_of("isega-raw", "sega-table", LIVES);
    double killed = loss_of("isega-raw", "sega-table", RETURNS);
    double replaced = loss_of("isega-raw", "sega-table", IS_REPLACED);

    cr_assert_float_eq(killed, loss, 1e-12, "%.17g, %.17g", killed, loss);
    cr_assert_float_eq(replaced, loss, 1e-12, "%.17g, %.17g", replaced, loss);
}

Test(tables, isega_whose_agents_remember_ends_beside_the_optimum_then, .timeout = 120)
{
    double optimum = loss_of("isega-raw", "sega-table", LIVES);
    double loss = loss_of("isega", "sega", LIVES);
    double lost = loss_of("isega", "sega", RETURNS);

    cr_assert_float_eq(loss, optimum, 1e-12, "%.17g, %.17g", loss, optimum);
    cr_assert_gt(lost, optimum + 1e-6, "%.17g, %.17g", lost, optimum);
}
