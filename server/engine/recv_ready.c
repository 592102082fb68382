/*
 * recv_ready.c - a member has built the problem: it takes part from the next round on.
 *
 * Happy path: the first ready fixes the dimension and makes the start model; the member gets the
 * newest model, and the announce of the next round (or of the one it has a place in).
 * What can fail, by name and for good: a dimension that is not the run's, zero, or above
 * limits/dimension; a smoothness that is negative or not finite. A second ready changes nothing:
 * the member is told again what it lacks.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "engine/smoothness.h"
#include "internal.h"

static enum cnv_status ready_check(const struct cnv_engine *engine,
                                   const struct cnv_member *member,
                                   const struct cnv_msg_ready *ready,
                                   struct cnv_error *err)
{
    uint64_t dimension = ready->dimension;

    if (dimension == 0 || dimension > engine->settings.dimension_max) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has a model of %" PRIu64
                        " coordinates, limits/dimension allows %" PRIu64,
                        member->name,
                        dimension,
                        engine->settings.dimension_max);
    }
    if (engine->dimension != 0 && dimension != engine->dimension) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has a model of %" PRIu64 " coordinates, the run's has %" PRIu64,
                        member->name,
                        dimension,
                        engine->dimension);
    }
    if (!(ready->smoothness >= 0) || isinf(ready->smoothness)) {
        return cnv_fail(
            err, CNV_E_MISFIT, "%s says a smoothness of %g", member->name, ready->smoothness);
    }
    return CNV_OK;
}

void cnv_recv_ready(struct cnv_engine *engine,
                    struct cnv_member *member,
                    const struct cnv_msg_ready *ready)
{
    struct cnv_error err = { .status = CNV_OK };

    if (cnv_run_is_over(engine)) {
        return; /* sent before the end was known: the start model may be what failed */
    }
    if (!engine->has_shape || !member->is_loaded) {
        cnv_post_error(engine, member, CNV_E_UNEXPECTED, 0, "ready before loaded and shape");
        return;
    }
    if (ready_check(engine, member, ready, &err) != CNV_OK) {
        cnv_member_refuse(engine, member, err.status, err.text);
        return;
    }
    if (engine->dimension == 0 && cnv_commit_start(engine, ready->dimension, &err) != CNV_OK) {
        cnv_run_end(engine, CNV_RUN_FAILED, err.text);
        return;
    }
    member->smoothness = ready->smoothness;
    cnv_smoothness_compare(engine, member);
    if (!member->is_ready) {
        member->is_ready = true;
        cnv_member_move(member, CNV_MEMBER_READY, "");
        cnv_note(engine,
                 member->was_ready ? CNV_NOTE_RETURNED : CNV_NOTE_JOINED,
                 member,
                 CNV_OK,
                 "ready");
        member->was_ready = true;
        cnv_pace_ask(engine, member);
        if (member->in_round && engine->round.exchange > 0) {
            engine->round.must_restart = true; /* it knows nothing of what has settled */
            (void) snprintf(engine->round.because,
                            sizeof(engine->round.because),
                            "%s is back with a new process",
                            member->name);
        }
    }
    cnv_catch_up(engine, member);
}
