/* run.h - a whole run on this machine: what it needs, and what it leaves behind. */
#ifndef CNV_CLI_RUN_H
#define CNV_CLI_RUN_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/blob.h"
#include "base/param.h"
#include "base/status.h"
#include "files.h"
#include "progress.h"

struct cnv_run_setup {
    const struct cnv_config *config; /* checked */
    const char *data;                /* a file that can be read */
    double scale;                    /* what its values are multiplied by, for model.json */
    struct cnv_progress *progress;
};

/* Zero before use; cnv_run_result_fini lets go. */
struct cnv_run_result {
    json_t *status;                /* the daemon's status, or the same made inline */
    struct cnv_blob *rows;         /* rounds.csv */
    struct cnv_blob *model;        /* model.npy */
    bool is_deserted;              /* all agents ended before the run did: it was cut short */
    char workspace[CNV_PATH_SIZE]; /* private directory of the run with *.log; "" : none */
    int workspace_lock;            /* a descriptor: while it is open the workspace is ours */
};

/* Removes the workspace, too. */
void cnv_run_result_fini(struct cnv_run_result *result);

/*
 * With a daemon and run/agents agents as processes, over sockets in the workspace. All of them have
 * ended when it returns. A child that ends before the first round has been announced ends the run:
 * err has its last line and a status that gives its exit code.
 */
CNV_MUST_CHECK enum cnv_status cnv_run_local(const struct cnv_run_setup *setup,
                                             struct cnv_run_result *result,
                                             struct cnv_error *err);

/*
 * In this process, without sockets: the simulator with no faults. The same model, bit for bit.
 * Seconds are virtual: as if each agent had a core of its own.
 */
CNV_MUST_CHECK enum cnv_status cnv_run_inline(const struct cnv_run_setup *setup,
                                              struct cnv_run_result *result,
                                              struct cnv_error *err);

/*
 * The same so many times, with the seeds run/seed, run/seed + 1, ... A CSV goes to out, a line a
 * run as it ends: seed, rounds, loss of the final model. Steps take no time at all.
 */
CNV_MUST_CHECK enum cnv_status cnv_run_repeats(const struct cnv_run_setup *setup,
                                               uint64_t count,
                                               FILE *out,
                                               struct cnv_error *err);

#endif
