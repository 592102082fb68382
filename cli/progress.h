/*
 * progress.h - how a run comes along: one line that rewrites itself on a terminal, plain lines
 * in a pipe.
 */
#ifndef CNV_CLI_PROGRESS_H
#define CNV_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "forecast.h"

struct cnv_progress {
    FILE *out; /* NULL: say nothing */
    bool is_terminal;
    bool is_virtual; /* the run's seconds are not ours: time left is told by our clock */
    struct cnv_forecast_limits limits;
    /* below: its own */
    struct cnv_forecast forecast;
    double began_at_s; /* when it was first seen at work, by our clock */
    uint64_t shown_round;
    double shown_at_s;
    double loss;
    double fall; /* of the loss in the round last evaluated; NaN: not known */
    uint64_t loss_round;
    bool has_line; /* a terminal line stands and has to be ended */
    char waiting[192];
};

/* Where the run is. */
struct cnv_progress_view {
    const char *state;  /* "waiting", "running", ... */
    const char *reason; /* why it is in that state */
    uint64_t version;   /* rounds committed */
    uint64_t iteration; /* local steps so far */
    uint32_t local_steps;
    const char *solver;
    double loss; /* last known, NaN: none */
    uint64_t loss_round;
    double bytes;   /* both ways */
    double seconds; /* since round 1 */
};

void cnv_progress_init(struct cnv_progress *progress,
                       FILE *out,
                       const struct cnv_forecast_limits *limits);

/* Shows the view if there is something new and it is not too soon. now_s: any steady clock. */
void cnv_progress_show(struct cnv_progress *progress,
                       const struct cnv_progress_view *view,
                       double now_s);

/* Prints a line of its own, between the others. */
void cnv_progress_say(struct cnv_progress *progress, const char *line);

/* Takes the terminal line away. */
void cnv_progress_end(struct cnv_progress *progress);

#endif
