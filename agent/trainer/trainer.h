/*
 * trainer.h - ties shard, problem and solver to the events of a run. Never blocks, no I/O of its
 * own.
 *
 * The agent's main and the simulator do the same: hand over each convene_event, call step while
 * there is work, one local step at a time, so that a new round is noticed between steps.
 */
#ifndef CNV_AGENT_TRAINER_TRAINER_H
#define CNV_AGENT_TRAINER_TRAINER_H

#include "base/param.h"
#include "base/status.h"
#include "client/convene.h"
#include "data/shard.h"

struct cnv_trainer;

/* How the trainer acts. */
struct cnv_trainer_io {
    void *self;
    const char *name; /* the agent's, under which it has joined; borrowed for the call of new */
    /* The specification came: read the shard (takes it over: the trainer frees it). config holds
     * the run's settings over the agent's own. */
    enum cnv_status (*load)(void *self,
                            const struct cnv_config *config,
                            uint32_t shard,
                            uint32_t shards,
                            struct cnv_shard **ret_shard,
                            struct cnv_shard **ret_test,
                            struct cnv_error *err);
    /* Whether a load in the same way would read the same again. NULL: no. */
    bool (*is_unchanged)(void *self);
    void (*loaded)(void *self, const convene_data *data);
    /* smoothness: of this shard, if the run's solver asks for it and the problem knows; else 0. */
    void (*ready)(void *self, uint64_t dimension, double smoothness);
    void (*contribute)(void *self, const convene_contribution *contribution);
    void (*report)(void *self, const convene_score *score);
};

/* config: the agent's own settings; borrowed and overlaid with the run's specification. */
CNV_MUST_CHECK enum cnv_status cnv_trainer_new(struct cnv_config *config,
                                               const struct cnv_trainer_io *io,
                                               struct cnv_trainer **ret_trainer,
                                               struct cnv_error *err);
void cnv_trainer_destroy(struct cnv_trainer *trainer);

/* Takes note of the event; the caller still releases it. A failure ends the agent. */
CNV_MUST_CHECK enum cnv_status
cnv_trainer_event(struct cnv_trainer *trainer, const convene_event *event, struct cnv_error *err);

/* True while step has something to do: a local step, or a contribution to compute. */
bool cnv_trainer_has_work(const struct cnv_trainer *trainer);

/* Does one local step, or computes and sends one contribution. */
CNV_MUST_CHECK enum cnv_status cnv_trainer_step(struct cnv_trainer *trainer, struct cnv_error *err);

/* True after FINISHED: *ret_exit_code is the program's. */
bool cnv_trainer_is_over(const struct cnv_trainer *trainer, int *ret_exit_code);

#endif
