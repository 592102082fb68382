/*
 * team.h - a few threads that each do one piece of the same sum.
 *
 * Piece i runs on lane i, so a piece may use the scratch of its number. What is computed never
 * depends on the size of the team: callers cut the work into fixed blocks, run them in waves of
 * at most the team's size and add the results in block order (reduce.h).
 */
#ifndef CNV_NUM_TEAM_H
#define CNV_NUM_TEAM_H

#include <stddef.h>

#include "base/status.h"

struct cnv_team;

/* threads >= 1 counts the caller's: a team of one starts no thread. */
CNV_MUST_CHECK enum cnv_status
cnv_team_new(size_t threads, struct cnv_team **ret_team, struct cnv_error *err);

/* Ends the threads. NULL is fine. */
void cnv_team_destroy(struct cnv_team *team);

size_t cnv_team_size(const struct cnv_team *team);

/* Calls run(ctx, i) for i in [0, pieces), pieces <= size, and returns when all have returned.
 * One caller at a time; run(ctx, 0) is on the caller's thread. */
void cnv_team_run(struct cnv_team *team,
                  size_t pieces,
                  void (*run)(void *ctx, size_t piece),
                  void *ctx);

#endif
