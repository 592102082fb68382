/*
 * policy.h - how a policy is written: decides how long agents work alone, with which solver.
 *
 * To add one: copy fixed.c, give it a name, add it to registry.c and its keys to
 * lib/config/keys.c. The conformance suite in tests/unit/test_policies.c runs on every entry.
 * Pure: no I/O, clock, thread, randomness or global.
 */
#ifndef CNV_SERVER_POLICY_POLICY_H
#define CNV_SERVER_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/plugin.h"
#include "base/status.h"

enum {
    CNV_SOLVER_NAME_SIZE = 24,
    CNV_REASON_SIZE = 256,
    CNV_REASON_ROOM = 120, /* of it a policy fills less than this; the engine may add words */
    CNV_MONITOR_SIZE = 16,
};

/* What the round just committed showed. Numbers that were not evaluated are NaN. */
struct cnv_round_view {
    uint64_t round;       /* the round just committed, from 1; 0: nothing to judge, see decide */
    uint64_t iteration;   /* local steps of the whole run so far (sum of nominal L) */
    uint32_t local_steps; /* L of that round */
    const char *solver;   /* solver of that round */
    size_t contributors;
    double loss;          /* global objective at the model the round started from */
    double previous_loss; /* of the round before; NaN unless the same members evaluated it */
    double gradient_norm; /* norm of the global gradient at that model */
    double variance;      /* model variance S of the contributions, before averaging */
    double estimate;      /* of S by the newest monitor of that round; NaN: there was none */
    uint64_t rows;        /* of all shards */
    double seconds;       /* since round 1 was announced */
    uint64_t bytes;       /* whole messages, both ways, all agents */
};

/* What is to happen in the next round. The engine fills in the defaults of the run first. */
struct cnv_decision {
    uint32_t local_steps;              /* >= 1 */
    uint32_t check_every;              /* > 0: L is the most; see sync_now */
    char monitor[CNV_MONITOR_SIZE];    /* what is watched then: naive, linear, sketch, exact */
    char solver[CNV_SOLVER_NAME_SIZE]; /* "newton", "giant", "sgd" */
    bool evaluate;                     /* agents send the loss at the model they start from */
    bool stop;                         /* no further round */
    char reason[CNV_REASON_SIZE]; /* in words with numbers, for status, rounds.csv and the log */
};

/* What the members say while they work: means of their monitors, with the weights of the models. */
struct cnv_monitor_view {
    const char *monitor;
    uint32_t steps; /* local steps each has taken in this round */
    const double *scalars;
    size_t scalar_count;
    const double *vector; /* [length] or NULL */
    size_t length;
    double variance; /* of the vectors, before averaging; NaN: none */
};

struct cnv_policy_ops {
    const char *name;  /* as written in the configuration: "adaptive-l" */
    const char *text;  /* one sentence for the help */
    const char *paper; /* where it comes from, with section */
    const char *keys;  /* settings that init reads, a space between two; NULL: none */
    size_t state_size; /* the engine allocates this much, zeroed */
    /* Reads its keys. Must leave the state fit for fini even when it fails. */
    enum cnv_status (*init)(void *state, const struct cnv_config *config, struct cnv_error *err);
    void (*fini)(void *state); /* NULL: nothing to let go of */
    /* Asked before round 1 and once after each commit. The first time view->round is 0 and no
     * number was evaluated, also when an operator sets the policy in mid-run: iteration, seconds
     * and bytes then say where the run stands. */
    void (*decide)(void *state, const struct cnv_round_view *view, struct cnv_decision *decision);
    /*
     * For policies that watch agents drift apart: asked every check_every local steps of a round,
     * but not after the last of its L. True: the models are averaged now. NULL: never asked.
     */
    bool (*sync_now)(const void *state,
                     const struct cnv_monitor_view *monitor,
                     double *ret_estimate);
    /* What a checkpoint carries: writes at most size bytes, returns how many there are. */
    size_t (*save)(const void *state, uint8_t *bytes, size_t size);
    enum cnv_status (*load)(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err);
};

/* The policy of that name, or NULL. */
const struct cnv_policy_ops *cnv_policy_find(const char *name);

/* The i-th policy, or NULL past the last: for help pages and the conformance suite. */
const struct cnv_policy_ops *cnv_policy_at(size_t i);

/* --- From a shared object; see base/plugin.h and examples/plugins ------------------------- */

#define CNV_POLICY_STRUCTS(X)                                                                      \
    X(cnv_policy_ops)                                                                              \
    X(cnv_round_view) X(cnv_decision) X(cnv_monitor_view) X(cnv_param) X(cnv_error)

/* The last line of a plug-in. paper, keys, fini, save and load (both or none) may be NULL in ops.
 */
#define CNV_POLICY_PLUGIN(ops, options)                                                            \
    CNV_PLUGIN_TABLE(CNV_PLUGIN_POLICY, CNV_POLICY_STRUCTS, ops, options)

/* From now on cnv_policy_find knows it as plugin:NAME. plugin is borrowed for ever. CNV_E_INPUT:
 * see cnv_plugin_check; or there is one of that name already. Not while others read. */
CNV_MUST_CHECK enum cnv_status
cnv_policy_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err);

#endif
