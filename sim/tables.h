/* tables.h - what a server optimiser with a table makes of contributions, for the checks. */
#ifndef CNV_SIM_TABLES_H
#define CNV_SIM_TABLES_H

#include "mean.h"

bool sim_tables_are_there(const struct cnv_sim *sim);
/* Notes which coordinates a contribution has. False: memory. */
bool sim_tables_note(const convene_contribution *contribution, struct vector_note *note);
/* What the agent weighs. */
double sim_tables_weight(const struct cnv_sim *sim, const struct contributor *contributor);
/* Turns values[length], what it sent, into what the server aggregates. */
void sim_tables_compare(const struct cnv_sim *sim,
                        const struct contributor *contributor,
                        double *values);
/* saga-table: momentum[length], the mean of the rows, as it is with these contributions. */
void sim_tables_mean(const struct cnv_sim *sim,
                     const struct contributor *contributors,
                     size_t count,
                     double *momentum);
/* They are in the newest version. */
void sim_tables_keep(struct cnv_sim *sim, const struct contributor *contributors, size_t count);

#endif
