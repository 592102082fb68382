/* num.h - what must be set once before any arithmetic of this library is used. */
#ifndef CNV_NUM_NUM_H
#define CNV_NUM_NUM_H

/*
 * Pins OpenBLAS to one thread: parallelism is ours (team.h), so that bits do not depend on how
 * many cores a host has. Called at the start of every program and test that computes.
 */
void cnv_num_init(void);

#endif
