/* screen.h - how a daemon's JSON answers look to a person. */
#ifndef CNV_CLI_SCREEN_H
#define CNV_CLI_SCREEN_H

#include <jansson.h>
#include <stdio.h>

/* Each is given the envelope's data. */

/* Everything: run, policy with its reason, who is waited for, members, server. */
void cnv_screen_next(const json_t *data, FILE *out);
void cnv_screen_status(const json_t *data, FILE *out);

/* The table of members, from data.agents. */
void cnv_screen_agents(const json_t *data, FILE *out);

/* The table of rounds, from data.rows. */
void cnv_screen_rounds(const json_t *data, FILE *out);

/* Kind, L, solver and reason, from data itself. */
void cnv_screen_policy(const json_t *data, FILE *out);

/* One line on the run, from data itself: what drain and stop answer. */
void cnv_screen_run(const json_t *data, FILE *out);

#endif
