/*
 * report.h - what a run looks like from outside, as JSON: the same from the daemon and inline.
 *
 * Every function returns a new reference, NULL when memory is out.
 */
#ifndef CNV_SERVER_REPORT_REPORT_H
#define CNV_SERVER_REPORT_REPORT_H

#include <jansson.h>
#include <stdint.h>

#include "base/param.h"
#include "engine/engine.h"

/* The member "run": state and why, version, traffic, loss, test score, all settings. */
json_t *cnv_report_run(const struct cnv_engine *engine, const struct cnv_config *settings);

/* The member "policy": kind, L, solver, and the reason of its last decision. */
json_t *cnv_report_policy(const struct cnv_engine *engine);

/* {"agents": [...]}, in order of joining. */
json_t *cnv_report_agents(const struct cnv_engine *engine, uint64_t now_ms);

/* The names of those who are waited for. */
json_t *cnv_report_waiting(const struct cnv_engine *engine, uint64_t now_ms);

#endif
