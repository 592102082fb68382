/*
 * config.h - the settings of a program: one table of keys, filled from defaults, a ZPL file, the
 * environment and the command line, in this order. The reading functions are in base/param.h.
 */
#ifndef CNV_CONFIG_CONFIG_H
#define CNV_CONFIG_CONFIG_H

#include <stdio.h>

#include "base/param.h"
#include "base/status.h"

/* The one table (keys.c), ended by a row whose path is NULL. */
extern const struct cnv_param cnv_config_keys[];

/* All defaults. NULL when memory is out. */
struct cnv_config *cnv_config_new(void);
struct cnv_config *cnv_config_copy(const struct cnv_config *config);
void cnv_config_destroy(struct cnv_config *config);

/*
 * Sets one key. CNV_E_INPUT with a line that names origin ("--set", a file, "environment"), key,
 * value, what is allowed and, for an unknown key, the nearest known one.
 */
CNV_MUST_CHECK enum cnv_status cnv_config_set(struct cnv_config *config,
                                              const char *path,
                                              const char *value,
                                              const char *origin,
                                              struct cnv_error *err);

/* "path=value", as after --set. */
CNV_MUST_CHECK enum cnv_status cnv_config_assign(struct cnv_config *config,
                                                 const char *assignment,
                                                 const char *origin,
                                                 struct cnv_error *err);

/* A ZPL file. */
CNV_MUST_CHECK enum cnv_status
cnv_config_load(struct cnv_config *config, const char *file, struct cnv_error *err);

/*
 * CONVENE_POLICY_LOCAL_STEPS=4 and the like. An unknown name whose first word is a section fails;
 * any other unknown CONVENE_ name is passed to warn; CONVENE_TEST_* and the names in ignored
 * (ended by NULL) are let through.
 */
CNV_MUST_CHECK enum cnv_status cnv_config_environment(struct cnv_config *config,
                                                      char *const *environment,
                                                      const char *const *ignored,
                                                      void (*warn)(const char *name),
                                                      struct cnv_error *err);

/*
 * Once all is set, before the check: defaults that follow from other keys. run/rounds is no limit
 * where run/iterations or run/seconds is one; rounds of solvers that draw blocks have one step.
 */
void cnv_config_settle(struct cnv_config *config);

/* What does not fit together although each value is allowed: CNV_E_INPUT. */
CNV_MUST_CHECK enum cnv_status cnv_config_check(const struct cnv_config *config,
                                                struct cnv_error *err);

/* True when the key was set, be it to its default. */
bool cnv_config_is_given(const struct cnv_config *config, const char *path);

/*
 * What "convene policy set" takes, in words: "adaptive-l delta=1e-3", a kind, keys of policy/ (with
 * or without the section), or both. CNV_E_INPUT: config is as it was.
 */
CNV_MUST_CHECK enum cnv_status
cnv_config_change_policy(struct cnv_config *config, const char *words, struct cnv_error *err);

/* Whether solver/kind says which blocks of its update are not zero. */
bool cnv_config_draws_blocks(const struct cnv_config *config);

/* True when the key has another value than its default. */
bool cnv_config_is_set(const struct cnv_config *config, const char *path);

/* The text of any key, whatever its type, as the user would write it. */
const char *cnv_config_value(const struct cnv_config *config, const char *path);

/* The lines "path=value" of what must agree across a run (run, problem, solver, policy, encoding,
 * data/shuffle ...). The caller frees the text with cnv_free; NULL when memory is out. */
char *cnv_config_spec(const struct cnv_config *config);

/* Takes over such lines; unknown keys are skipped (a newer server may have more). */
CNV_MUST_CHECK enum cnv_status
cnv_config_overlay(struct cnv_config *config, const char *spec, struct cnv_error *err);

/* What is wrong with a plug-in's table of options (NULL: none). CNV_E_INPUT names file and row. */
CNV_MUST_CHECK enum cnv_status
cnv_options_check(const struct cnv_param *options, const char *file, struct cnv_error *err);

/* The options as text: name, default, unit, range, sentence. */
void cnv_options_help(FILE *out, const struct cnv_param *options);

/* The table as text for --help: key, default, unit, range, sentence; section NULL: all. */
void cnv_config_help(FILE *out, const char *section);

#endif
