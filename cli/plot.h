/*
 * plot.h - convergence of one run or several, from their reports, drawn by gnuplot: loss against
 * rounds, seconds and bytes, and L over the rounds.
 */
#ifndef CNV_CLI_PLOT_H
#define CNV_CLI_PLOT_H

#include <stdio.h>

#include "base/status.h"

enum { CNV_PLOT_RUNS = 8, CNV_PLOT_POINTS = 1500, CNV_PLOT_TITLE = 256 };

/* One round: what was known when it began, but for L, which is its own. */
struct cnv_plot_point {
    double rounds; /* committed before */
    double seconds;
    double bytes;       /* both ways */
    double loss;        /* NaN: not evaluated */
    double local_steps; /* NaN: the point of the last model */
};

struct cnv_plot_run {
    char title[CNV_PLOT_TITLE];
    struct cnv_plot_point *points; /* owned */
    size_t count;
};

/*
 * Draws the reports in directories into the file svg, which appears whole or not at all.
 * CNV_E_INPUT: no reports, or no losses in them. CNV_E_UNREACHABLE: gnuplot is not installed.
 */
CNV_MUST_CHECK enum cnv_status
cnv_plot(const char *const *directories, size_t count, const char *svg, struct cnv_error *err);

/* Points from the text of a rounds.csv. CNV_E_INPUT names the line that is none of it. */
CNV_MUST_CHECK enum cnv_status
cnv_plot_read(const char *csv, struct cnv_plot_run *run, struct cnv_error *err);

/*
 * The commands for gnuplot that draw runs into svg (plot_script.c). The loss's axis shows the loss
 * less the lowest seen, as logarithms, where most losses lie close to it.
 */
void cnv_plot_script(const struct cnv_plot_run *runs, size_t count, const char *svg, FILE *out);

#endif
