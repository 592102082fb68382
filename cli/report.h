/*
 * report.h - the directory a run leaves behind: rounds.csv, model.npy, model.json, run.json, logs/,
 * convergence.svg.
 */
#ifndef CNV_CLI_REPORT_H
#define CNV_CLI_REPORT_H

#include <stdio.h>

#include "run.h"

/*
 * Before the run: is directory fit to be written? CNV_E_INPUT: it is a file, holds files that are
 * not of an earlier report, or its parent is not there or may not be written.
 */
CNV_MUST_CHECK enum cnv_status cnv_report_check(const char *directory, struct cnv_error *err);

/* Says which run's report in directory the one of this run will replace; nothing where none is. */
void cnv_report_announce(const char *directory, FILE *out);

/*
 * Writes everything into a directory beside, then moves it there, in place of an earlier report.
 * On failure an earlier report is still there. *ret_plot: why there is no convergence.svg, which is
 * no failure; its status is CNV_OK if there is one.
 */
CNV_MUST_CHECK enum cnv_status cnv_report_write(const char *directory,
                                                const struct cnv_run_setup *setup,
                                                const struct cnv_run_result *result,
                                                struct cnv_error *ret_plot,
                                                struct cnv_error *err);

/* What came out, in a few lines. directory may be NULL: no files were written. */
void cnv_report_print(const struct cnv_run_result *result,
                      const char *directory,
                      const struct cnv_error *plot,
                      FILE *out);

#endif
