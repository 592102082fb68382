/* draw.c - a world from a seed. New draws have streams of their own or come last, so that the seeds
 * of old stay what they are. */
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "world.h"

static size_t draw_agents(struct cnv_rng *rng)
{
    uint64_t kind = cnv_rng_below(rng, 40);

    if (kind == 0) {
        return 100;
    }
    if (kind < 4) {
        return 10 + (size_t) cnv_rng_below(rng, 30);
    }
    return 2 + (size_t) cnv_rng_below(rng, 5);
}

static void draw_problem(struct world *world, struct cnv_rng *rng, size_t agents)
{
    uint64_t kind = cnv_rng_below(rng, 10);

    if (kind < 3 && agents <= 10) {
        /* 80,000 bytes and more: by chunks. The largest have 4 slices, and more chunks than a
         * window, which is at least two slices. */
        bool is_large = kind == 0 && agents <= 3;

        world_set_features(world, !is_large ? 10000 : cnv_rng_below(rng, 2) == 0 ? 70000 : 200000);
        world_set_number(world, "run/rounds", (double) (2 + cnv_rng_below(rng, is_large ? 3 : 6)));
        world_set_number(world, "limits/window", (double) (1 + cnv_rng_below(rng, 8)));
        world_set(world, "limits/chunk", is_large && cnv_rng_below(rng, 3) > 0 ? "65536" : "4096");
        return;
    }
    if (kind == 3) {
        world->classes = 3;
        world_set(world, "problem/kind", "softmax");
    } else if (kind == 4) {
        world_set(world, "problem/kind", "ridge");
    }
    if (kind < 7) {
        static const char *const solvers[] = { "newton", "giant", "sgd",   "adam",
                                               "savic",  "bfgs",  "fedac", "sgd-batch" };

        world_set(world, "solver/kind", solvers[cnv_rng_below(rng, 8)]);
    } else if (kind < 9) {
        world_set(world, "policy/kind", "adaptive-l");
        world_set(world, "policy/delta", kind == 7 ? "inf" : "1e-2");
    } else {
        static const char *const policies[] = {
            "adaptive-period", "growing", "one-shot", "budget"
        };

        world_set(world, "solver/kind", "sgd");
        world_set(world, "policy/kind", policies[cnv_rng_below(rng, 4)]);
        world_set(world, "policy/rounds", "2");
        world_set(world, "policy/budget-bytes", "20000");
        world_set(world, "run/iterations", "60");
    }
}

/* Settings for which the check of averages.c has its own arithmetic. */
static void draw_optimiser(struct world *world, struct cnv_rng *rng)
{
    static const char *const kinds[] = { "none", "none", "momentum", "nesterov" };

    world_set(world, "optimiser/kind", kinds[cnv_rng_below(rng, 4)]);
    world_set(world, "optimiser/momentum", "0.5");
    world_set(world, "optimiser/step", "0.5");
}

/* A bound that nothing reaches: the pass before merging is there, and the mean is what it was. */
static void draw_scoring(struct world *world, uint64_t seed)
{
    struct cnv_rng rng;
    bool is_async = strcmp(cnv_config_value(world->config, "sync/mode"), "async") == 0;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 3, 0);
    if (!is_async && cnv_rng_below(&rng, 3) == 0) {
        world_set(world, "aggregate/kind", "clipped-mean");
        world_set(world, "aggregate/clip", "1e100");
    }
}

/* Some of the worlds whose models drift step by step are watched. */
static void draw_watch(struct world *world, struct cnv_rng *rng)
{
    static const char *const monitors[] = { "naive", "linear", "sketch", "exact" };
    bool is_sgd = strcmp(cnv_config_value(world->config, "solver/kind"), "sgd") == 0;
    bool is_fixed = strcmp(cnv_config_value(world->config, "policy/kind"), "fixed") == 0;

    if (!is_sgd || !is_fixed || cnv_rng_below(rng, 2) == 0) {
        return;
    }
    uint64_t most = 1 + cnv_rng_below(rng, 10);
    world_set(world, "policy/balance", "none");
    world_set(world, "policy/kind", "dynamic");
    world_set(world, "policy/monitor", monitors[cnv_rng_below(rng, 4)]);
    world_set_number(world, "policy/local-steps", 1);
    world_set_number(world, "policy/max-local-steps", (double) most);
    world_set_number(world, "policy/check-every", (double) (1 + cnv_rng_below(rng, 4)));
    world_set_number(world, "policy/threshold", cnv_rng_below(rng, 2) == 0 ? 0 : 0.001);
    world->round_exchanges = most;
}

/* Half of GIANT's runs are as its authors have them. From a stream of its own, like the blocks. */
static void draw_giant(struct world *world, uint64_t seed)
{
    bool is_giant = strcmp(cnv_config_value(world->config, "solver/kind"), "giant") == 0;
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 6, 0);
    if (is_giant && cnv_rng_below(&rng, 2) == 0) {
        world_set(world, "solver/search", "quarters");
        world_set(world, "solver/direction", "cg");
        world_set_number(world, "solver/cg-iterations", (double) (1 + cnv_rng_below(&rng, 4)));
        world_set(world, "solver/cg-tighten", "0.5");
        world_set_number(world, "policy/local-start", (double) cnv_rng_below(&rng, 4));
        world_set(world, "stop/gradient-rms", cnv_rng_below(&rng, 2) == 0 ? "0" : "1e-3");
    }
}

/* Some wait for enough. */
static void draw_quorum(struct world *world, struct cnv_rng *rng)
{
    bool is_barrier = strcmp(cnv_config_value(world->config, "sync/mode"), "barrier") == 0;

    if (is_barrier && cnv_rng_below(rng, 4) == 0) {
        world_set(world, "sync/mode", "quorum");
        world_set_number(world, "sync/quorum", 0.25 * (double) cnv_rng_below(rng, 4));
        world_set_number(world, "sync/deadline", cnv_rng_below(rng, 2) == 0 ? 0 : 0.5);
    }
}

/* Some wait for nobody. */
static void draw_async(struct world *world, struct cnv_rng *rng)
{
    const char *solver = cnv_config_value(world->config, "solver/kind");
    bool is_local = strcmp(solver, "newton") == 0 || strcmp(solver, "sgd") == 0;
    bool is_fixed = strcmp(cnv_config_value(world->config, "policy/kind"), "fixed") == 0;

    if (!is_local || !is_fixed || cnv_rng_below(rng, 3) > 0) {
        return;
    }
    world_set(world, "policy/balance", "none");
    world_set(world, "sync/mode", "async");
    world_set_number(world, "sync/contributions", (double) (1 + cnv_rng_below(rng, 3)));
    world_set_number(world, "sync/staleness", (double) cnv_rng_below(rng, 6));
    world_set_number(world, "sync/damping", cnv_rng_below(rng, 2) == 0 ? 0.5 : 0);
    world_set_number(world, "run/rounds", (double) (10 + cnv_rng_below(rng, 30)));
}

/* Whether gradients of a round may be what is contributed. */
static bool may_send_blocks(const struct world *world)
{
    return world->classes == 2 &&
           strcmp(cnv_config_text(world->config, "policy/kind"), "fixed") == 0;
}

/* One of these solvers, with blocks that are few and small, or so many that they go by chunks. */
static const char *draw_partition(struct world *world,
                                  struct cnv_rng *rng,
                                  const char *const *solvers,
                                  size_t solver_count)
{
    size_t length = world->features;
    size_t most = length < 1000 ? length : length < 20000 ? 300 : 900; /* ids fit into a chunk */
    size_t count = 1 + (size_t) cnv_rng_below(rng, most);
    size_t block = (length - 1) / count + 1;

    count = (length - 1) / block + 1;
    const char *solver = solvers[cnv_rng_below(rng, solver_count)];
    world_set(world, "solver/kind", solver);
    world_set(world, "encoding/up", "blocks");
    world_set_number(world, "encoding/block", (double) block);
    world_set_number(
        world, "encoding/fraction", (double) (1 + cnv_rng_below(rng, count)) / (double) count);
    return solver;
}

/* Some are given L, the others gather it; of those with a prox some have what it is for. */
static void draw_smoothness(struct world *world, struct cnv_rng *rng, bool has_prox)
{
    if (cnv_rng_below(rng, 4) == 0) {
        world_set(world, "solver/smoothness", "10");
    }
    if (has_prox && cnv_rng_below(rng, 2) == 0) {
        world_set(world, "solver/step-rule", "given");
        world_set(world, "solver/step", "0.05");
        world_set(world, "optimiser/l1", "0.01");
    }
}

/*
 * Some runs send blocks. From a stream of its own, so that all else is as the seed had it before
 * there were blocks.
 */
static void draw_blocks(struct world *world, uint64_t seed)
{
    static const char *const solvers[] = { "blocks", "blocks", "ibgd", "isgd", "isega" };
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 2, 0);
    if (cnv_rng_below(&rng, 5) > 0 || !may_send_blocks(world) ||
        strcmp(cnv_config_value(world->config, "sync/mode"), "barrier") != 0) {
        return;
    }
    bool is_isega = strcmp(draw_partition(world, &rng, solvers, 5), "isega") == 0;

    if (is_isega) {
        world_set(world, "optimiser/kind", "sega");
    }
    /* Drawn last, so that the seeds of old stay what they are. */
    draw_smoothness(world, &rng, is_isega);
}

/*
 * In some the server remembers what was sent, again from a stream of its own. What does not go with
 * a table is taken back: weights of steps, guests beyond run/agents, those who wait for nobody.
 */
static void draw_table(struct world *world, uint64_t seed)
{
    static const char *const solvers[] = { "isega-raw", "isaga-shared" };
    size_t agents = (size_t) cnv_config_integer(world->config, "run/agents");
    bool has_room = agents <= world->rows && world->features < 20000;
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 7, 0);
    if (cnv_rng_below(&rng, 5) > 0 || !may_send_blocks(world) ||
        strcmp(cnv_config_text(world->config, "optimiser/kind"), "scaled") == 0) {
        return;
    }
    world_set(world, "optimiser/l1", "0"); /* what draw_blocks had wanted it for is over */
    bool is_shared =
        strcmp(draw_partition(world, &rng, solvers, has_room ? 2 : 1), "isaga-shared") == 0;

    draw_smoothness(world, &rng, !is_shared);
    world_set(world, "optimiser/kind", is_shared ? "saga-table" : "sega-table");
    world_set(world, "data/shared", is_shared ? "true" : "false");
    world_set(world, "aggregate/kind", "mean");
    world_set(world, "policy/balance", "none");
    world_set(world, "sync/mode", cnv_rng_below(&rng, 3) == 0 ? "quorum" : "barrier");
    world->setup.shards = 0;
    world->guests[1] = (struct world_guest){ 0 };
}

/*
 * Some runs are SAVIC with one round trip: all that goes both ways is wide. From a stream of its
 * own. No other policies, and no pass before merging.
 */
static void draw_scaled(struct world *world, uint64_t seed)
{
    bool is_fixed = strcmp(cnv_config_text(world->config, "policy/kind"), "fixed") == 0;
    bool is_async = strcmp(cnv_config_text(world->config, "sync/mode"), "async") == 0;
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 5, 0);
    if (cnv_rng_below(&rng, 5) > 0 || !is_fixed || is_async ||
        strcmp(cnv_config_text(world->config, "solver/kind"), "giant") == 0 ||
        strcmp(cnv_config_text(world->config, "encoding/up"), "blocks") == 0) {
        return;
    }
    world_set(world, "solver/kind", "savic");
    world_set(world, "solver/scaling", cnv_rng_below(&rng, 2) == 0 ? "adam" : "oasis");
    world_set(world, "solver/batch", "8");
    world_set(world, "optimiser/kind", "scaled");
    world_set(world, "policy/balance", "none");
    world_set(world, "aggregate/kind", "mean");
    for (size_t i = 0; i < CHANGES_MAX; i++) {
        struct world_change *change = &world->changes[i];

        if (strncmp(change->words, "fixed", 5) != 0 && strncmp(change->words, "local", 5) != 0) {
            change->at_ms = 0;
        }
    }
}

/*
 * In some runs an operator sets the policy, once or twice. From a stream of its own, like the
 * blocks. Who waits for nobody, and who sends blocks, takes no other policy than fixed.
 */
static void draw_changes(struct world *world, uint64_t seed)
{
    bool is_async = strcmp(cnv_config_text(world->config, "sync/mode"), "async") == 0;
    bool is_fixed =
        is_async || strcmp(cnv_config_text(world->config, "solver/kind"), "blocks") == 0;
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 4, 0);
    for (size_t i = 0; i < CHANGES_MAX; i++) {
        struct world_change *change = &world->changes[i];
        unsigned steps = 1 + (unsigned) cnv_rng_below(&rng, 4);
        uint64_t kind = is_fixed ? 0 : cnv_rng_below(&rng, 4);

        change->at_ms = cnv_rng_below(&rng, 3) == 0 ? 1100 + cnv_rng_below(&rng, 20000) : 0;
        if (kind == 0) {
            (void) snprintf(change->words, CHANGE_SIZE, "fixed local-steps=%u", steps);
        } else if (kind == 1) {
            (void) snprintf(
                change->words, CHANGE_SIZE, "adaptive-l local-steps=%u delta=inf", steps);
        } else if (kind == 2) {
            (void) snprintf(change->words, CHANGE_SIZE, "local-steps=%u", steps);
        } else {
            (void) snprintf(
                change->words,
                CHANGE_SIZE,
                "dynamic max-local-steps=8 local-steps=%u check-every=%u threshold=0.001",
                steps,
                steps);
        }
        if (kind == 3 && change->at_ms > 0 && world->round_exchanges < 8) {
            world->round_exchanges = 8;
        }
    }
}

static void draw_faults(struct world *world, struct cnv_rng *rng, size_t agents)
{
    static const uint32_t delays_ms[] = { 0, 20, 60, 120, 1200 };
    static const uint32_t steps_ms[] = { 0, 5, 100, 400 };
    struct cnv_sim_faults *faults = &world->faults;
    uint64_t mix = cnv_rng_below(rng, 1024);
    /* The more agents, the rarer each of them fails: else no round would ever find all at once. */
    uint32_t every_ms = (uint32_t) ((1500 + cnv_rng_below(rng, 4000)) * agents);

    faults->delay_ms = delays_ms[cnv_rng_below(rng, 5)];
    faults->step_ms = steps_ms[cnv_rng_below(rng, 4)];
    faults->notice_ms = (mix & 1) != 0 ? 500 : 0;
    faults->away_ms = (mix & 2) != 0 ? 2000 : 12000;
    faults->loss = (mix & 4) != 0 ? 0.05 : 0;
    faults->duplicate = (mix & 8) != 0 ? 0.1 : 0;
    faults->reorder = (mix & 16) != 0 ? 0.3 : 0;
    faults->cut_every_ms = (mix & 32) != 0 ? every_ms : 0;
    faults->kill_every_ms = (mix & 64) != 0 ? every_ms : 0;
    faults->freeze_every_ms = (mix & 128) != 0 ? every_ms : 0;
    /* A damaged chunk costs the whole contribution: with many chunks nothing would get through. */
    faults->damage = (mix & 256) == 0 ? 0 : world->features > 8192 ? 0.0002 : 0.01;
    faults->poison = (mix & 512) != 0 ? 0.02 : 0;
    faults->polite = 0.3;
    faults->gone = cnv_rng_below(rng, 2) == 0 ? 0.3 : 0;
    faults->defers_jobs = cnv_rng_below(rng, 2) == 0;
    faults->until_ms = 10000 + 1000 * cnv_rng_below(rng, 30);
}

static void draw_guests(struct world *world, struct cnv_rng *rng, size_t agents)
{
    uint64_t mix = cnv_rng_below(rng, 16);

    if ((mix & 1) != 0) {
        world->guests[0].role = "follower";
    }
    if ((mix & 2) != 0) {
        world->setup.shards = (uint32_t) agents + 1;
        world->guests[1].role = "worker";
        world->guests[1].shard = (mix & 4) != 0 ? 0 : world->setup.shards;
        /* A goodbye frees the shard: who asks for one might get it, and who returns be refused. */
        world->faults.polite = (mix & 4) != 0 ? 0 : world->faults.polite;
    }
    world->guests[2].agent = (size_t) cnv_rng_below(rng, agents);
    for (size_t i = 0; i < GUESTS_MAX; i++) {
        uint64_t at_ms = 1500 + cnv_rng_below(rng, 15000);
        bool comes = i == 2 ? (mix & 8) != 0 : world->guests[i].role != NULL;

        world->guests[i].at_ms = comes ? at_ms : 0;
    }
}

/* Generous, so that only what is stuck fails: repairs take heartbeats, rounds several journeys. */
static void set_limit(struct world *world)
{
    uint64_t rounds = (uint64_t) cnv_config_integer(world->config, "run/rounds");
    uint64_t exchange_ms = 1000 + 6 * world->faults.delay_ms + world->faults.step_ms;
    uint64_t round_ms = 2000 + 20 * world->faults.delay_ms + 6 * world->faults.step_ms +
                        world->round_exchanges * exchange_ms;

    world->limit_ms = world->faults.until_ms + 90000 + rounds * round_ms;
}

void world_draw(struct world *world, uint64_t seed)
{
    static const char *const up[] = { "f32", "bf16", "f64", "f64" };
    struct cnv_rng rng;

    cnv_rng_init(&rng, seed, CNV_RNG_SIM, 1, 0);
    size_t agents = draw_agents(&rng);
    world_init(world, agents);
    world->seed = seed;
    world_set_number(world, "run/seed", (double) seed);
    world_set_number(world, "run/rounds", (double) (3 + cnv_rng_below(&rng, 20)));
    world_set_number(world, "sync/rejoin", (double) cnv_rng_below(&rng, 4));
    world_set(world, "encoding/up", up[cnv_rng_below(&rng, 4)]);
    world_set(world, "encoding/down", cnv_rng_below(&rng, 4) == 0 ? "f32" : "f64");
    world_set(world, "aggregate/weighting", cnv_rng_below(&rng, 4) == 0 ? "uniform" : "samples");
    draw_problem(world, &rng, agents);
    draw_faults(world, &rng, agents);
    draw_guests(world, &rng, agents);
    world->drain_ms = cnv_rng_below(&rng, 8) == 0 ? 2000 + cnv_rng_below(&rng, 20000) : 0;
    /* Where messages and steps take no time, rounds do not either, and no time would pass. */
    if (cnv_rng_below(&rng, 8) == 0 && world->faults.delay_ms > 0) {
        world_set_number(world, "run/rounds", 0);
        world_set_number(world, "run/seconds", (double) (1 + cnv_rng_below(&rng, 10)));
    }
    /* Drawn last, so that the seeds of old stay what they are. */
    world_set(world, "policy/balance", cnv_rng_below(&rng, 3) == 0 ? "time" : "none");
    draw_watch(world, &rng);
    draw_async(world, &rng);
    draw_quorum(world, &rng);
    draw_changes(world, seed);
    draw_optimiser(world, &rng);
    draw_blocks(world, seed);
    draw_scoring(world, seed);
    draw_giant(world, seed);
    draw_scaled(world, seed);
    draw_table(world, seed);
    set_limit(world);
}
