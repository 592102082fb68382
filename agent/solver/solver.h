/*
 * solver.h - how an agent moves in a local step and what it contributes.
 *
 * A round goes: begin at the broadcast model, step L times, then for each exchange of the plan
 * contribute and, once the server has settled it, learn its result. Where the exchange monitor
 * comes in between, steps go on after it. Where settled_before_steps is not 0, so many exchanges
 * come before the local steps. The committed model comes
 * with concluded; state that outlives a round (momentum) advances only there, and only if the
 * contribution was counted. A restarted round begins again: begin forgets what was pending.
 *
 * To add one: copy sgd.c, add it to registry.c, to solver/kind in lib/config/keys.c and, if its
 * plan is not just "model", to the plans in proto/plan.c.
 */
#ifndef CNV_AGENT_SOLVER_SOLVER_H
#define CNV_AGENT_SOLVER_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/plugin.h"
#include "base/status.h"
#include "problem/problem.h"

enum { CNV_SCALARS_MAX = 16 };

struct cnv_solver_setup {
    const struct cnv_config *config;
    double smoothness;           /* L of the run, the same on all agents; 0: not known */
    struct cnv_problem *problem; /* borrowed for the solver's life */
    uint64_t seed;               /* of the run */
    uint32_t shard;              /* names this agent's stream of minibatches */
    uint32_t stream; /* names its draws where no two agents may draw alike, not even those that
                      * hold the same shard: blocks */
};

struct cnv_solver_round {
    const double *model; /* [dimension], borrowed until the next begin or concluded */
    uint64_t iteration;  /* of the run, before the first local step of this round */
    uint64_t ahead; /* steps this agent has taken beyond that: its minibatches go on from there */
    uint32_t local_steps;
    bool evaluate; /* the loss at the model is wanted */
    /* [dimension] what the server's optimiser keeps beside the model, all zero before the first
     * commit (iteration 0); borrowed as model is. NULL: nothing. */
    const double *beside;
};

/* What goes to the server for one exchange. Pointers are borrowed until the next call. */
struct cnv_solver_contribution {
    const double *values; /* [dimension] or NULL: scalars only */
    size_t length;
    size_t width; /* vectors of length one behind the other in values, where the optimiser keeps
                   * something beside the model; 0: one */
    /* Which blocks of values may differ from zero: what encoding/up=blocks sends. NULL: any. A
     * solver that names them keeps values zero elsewhere, so that other encodings mean the same. */
    const uint32_t *blocks; /* [block_count] ascending */
    size_t block_count;
    size_t block;   /* coordinates of a block */
    bool is_scaled; /* instead of values: factor * (settled result of exchange reference) */
    double factor;
    uint32_t reference;
    double scalars[CNV_SCALARS_MAX]; /* averaged by the server with the same weights */
    size_t scalar_count;
};

struct cnv_solver_result {
    const double *values; /* [length] the settled vector, or NULL */
    size_t length;
    const double *scalars;
    size_t scalar_count;
};

struct cnv_solver_ops {
    const char *name;
    const char *text;
    const char *paper;
    const char *keys; /* settings that init reads, a space between two; NULL: none */
    size_t state_size;
    uint32_t settled_before_steps; /* exchanges of the plan, less than it has; a round with fewer
                                    * exchanges than the solver's plan has none */
    enum cnv_status (*init)(void *state,
                            const struct cnv_solver_setup *setup,
                            struct cnv_error *err);
    void (*fini)(void *state);
    void (*begin)(void *state, const struct cnv_solver_round *round);
    /* One local step; called local_steps times. A failed factorisation ends the agent. */
    enum cnv_status (*step)(void *state, struct cnv_error *err);
    /* For the exchange named so, number index of the round without monitors. Where the round asks
     * for it (evaluate), scalars[0] of the round's first exchange but monitor is the loss at its
     * model. monitor: the update as it is after the steps so far, of which the trainer takes the
     * drift. */
    enum cnv_status (*contribute)(void *state,
                                  const char *exchange,
                                  uint32_t index,
                                  struct cnv_solver_contribution *contribution,
                                  struct cnv_error *err);
    void (*settled)(void *state,
                    const char *exchange,
                    uint32_t index,
                    const struct cnv_solver_result *result);
    void (*concluded)(void *state, bool counted);
    /* Of what L the step sizes follow from, by these settings. NULL: none. */
    enum cnv_smoothness (*smoothness)(const struct cnv_config *config);
    /* Only of a plug-in: its exchanges, which solver/plan has to name too; NULL: "model". */
    const char *plan;
};

const struct cnv_solver_ops *cnv_solver_find(const char *name);
const struct cnv_solver_ops *cnv_solver_at(size_t i);

/* --- From a shared object; see base/plugin.h and examples/plugins ------------------------- */

#define CNV_SOLVER_STRUCTS(X)                                                                      \
    X(cnv_solver_ops)                                                                              \
    X(cnv_solver_setup)                                                                            \
    X(cnv_solver_round)                                                                            \
    X(cnv_solver_contribution)                                                                     \
    X(cnv_solver_result) X(cnv_problem_ops) X(cnv_problem) X(cnv_param)

/* The last line of a plug-in. paper, keys, plan, fini, settled, concluded and smoothness may be
 * NULL in ops. */
#define CNV_SOLVER_PLUGIN(ops, options)                                                            \
    CNV_PLUGIN_TABLE(CNV_PLUGIN_SOLVER, CNV_SOLVER_STRUCTS, ops, options)

/* From now on cnv_solver_find knows it as plugin:NAME. plugin is borrowed for ever. CNV_E_INPUT:
 * see cnv_plugin_check; or there is one of that name already. Not while others read. */
CNV_MUST_CHECK enum cnv_status
cnv_solver_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err);

/* The i-th solver that came from a plug-in, or NULL past the last. */
const struct cnv_solver_ops *cnv_solver_adopted(size_t i);

#endif
