/*
 * job.h - a piece of arithmetic that may run on another thread.
 *
 * run sees immutable inputs and writes a slice nobody else touches; done is called on the loop
 * thread. In the simulator and in unit tests jobs run at once, on the caller's thread.
 */
#ifndef CNV_RUN_JOB_H
#define CNV_RUN_JOB_H

#include <stddef.h>

struct cnv_job {
    void (*run)(struct cnv_job *job);
    void (*done)(struct cnv_job *job); /* may free the job; NULL: whoever runs it knows */
    size_t cost;                       /* coordinates touched: small jobs are run on the loop */
    struct cnv_job *next;              /* for the queue it stands in */
};

#endif
