/*
 * progress.h - how a run comes along: one line that rewrites itself on a terminal, plain lines
 * in a pipe.
 */
#ifndef CNV_CLI_PROGRESS_H
#define CNV_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What may end the run; 0: no limit. */
struct cnv_progress_limits {
    uint64_t rounds;     /* run/rounds */
    uint64_t iterations; /* run/iterations */
    double seconds;      /* run/seconds */
};

struct cnv_progress {
    FILE *out; /* NULL: say nothing */
    bool is_terminal;
    struct cnv_progress_limits limits;
    /* below: its own */
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
                       const struct cnv_progress_limits *limits);

/* Shows the view if there is something new and it is not too soon. now_s: any steady clock. */
void cnv_progress_show(struct cnv_progress *progress,
                       const struct cnv_progress_view *view,
                       double now_s);

/* Prints a line of its own, between the others. */
void cnv_progress_say(struct cnv_progress *progress, const char *line);

/* Takes the terminal line away. */
void cnv_progress_end(struct cnv_progress *progress);

/* Seconds the run will still take at most, by its limits and pace; NaN: not known. */
double cnv_progress_left(const struct cnv_progress *progress, const struct cnv_progress_view *view);

#endif
