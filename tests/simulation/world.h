/*
 * world.h - small synthetic runs for the simulator: data, configuration and faults from a seed.
 *
 * Shards are drawn by counter, so that an agent that comes back reads the same rows. All memory is
 * given back by world_fini, which fails the caller's test if a blob is left.
 */
#ifndef CNV_TESTS_SIMULATION_WORLD_H
#define CNV_TESTS_SIMULATION_WORLD_H

#include "config/config.h"
#include "sim/sim.h"

enum { GUESTS_MAX = 3, CHANGES_MAX = 2, CHANGE_SIZE = 96 };

/* Somebody who comes later. */
struct world_guest {
    uint64_t at_ms;   /* 0: nobody */
    const char *role; /* NULL: a second process of agent number `agent` */
    uint32_t shard;
    size_t agent;
};

/* An operator sets the policy. */
struct world_change {
    uint64_t at_ms; /* 0: never */
    char words[CHANGE_SIZE];
    struct cnv_config *config; /* of the run before it was set; NULL until then */
};

struct world {
    struct cnv_config *config;
    struct cnv_sim_faults faults;
    struct cnv_sim_setup setup;
    struct cnv_sim *sim;
    uint64_t seed;
    size_t features;
    size_t rows;              /* about so many in a shard */
    size_t classes;           /* 2 for logistic */
    uint64_t round_exchanges; /* most of a round, where agents are watched; else 0 */
    struct world_guest guests[GUESTS_MAX];
    struct world_change changes[CHANGES_MAX];
    uint64_t drain_ms; /* an operator drains the run then; 0: never */
    uint64_t limit_ms; /* virtual time after which a run counts as stuck */
};

/* A quiet world of so many agents: logistic regression by newton, 4 rounds. */
void world_init(struct world *world, size_t agents);

/* Sets a key; a value that is not allowed ends the program. */
void world_set(struct world *world, const char *path, const char *value);
void world_set_number(struct world *world, const char *path, double value);

/* A model of so many features; above 8192 it travels in chunks. */
void world_set_features(struct world *world, size_t features);

/* What this seed makes of the world: size, solver, policy, encodings, faults. */
void world_draw(struct world *world, uint64_t seed);

/* One line: what was drawn. */
void world_describe(const struct world *world, char *text, size_t size);

/* Starts the simulation; it is checked after every step. */
enum cnv_status world_start(struct world *world, FILE *trace, struct cnv_error *err);

/* One step of it, guests included. */
enum cnv_status world_step(struct world *world, bool *ret_is_more, struct cnv_error *err);

/* Steps until the run has ended; CNV_E_TIMEOUT when it is stuck. */
enum cnv_status world_run(struct world *world, struct cnv_error *err);

/* Ends it. False: blobs were left. */
bool world_fini(struct world *world);

#endif
