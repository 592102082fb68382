/* param.h - how a setting is described: one row gives parser, help, reference page and default. */
#ifndef CNV_BASE_PARAM_H
#define CNV_BASE_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum cnv_param_type {
    CNV_PARAM_INTEGER,  /* whole number in [low, high] */
    CNV_PARAM_REAL,     /* number in [low, high]; "inf" where high is infinite */
    CNV_PARAM_BOOLEAN,  /* true or false */
    CNV_PARAM_CHOICE,   /* one of choices, separated by '|' */
    CNV_PARAM_TEXT,     /* any text of at most 255 bytes */
    CNV_PARAM_FRACTION, /* number in [low, high], or "1/n": one over the rows of the whole run */
};

struct cnv_param {
    const char *path; /* "policy/local-steps" */
    enum cnv_param_type type;
    const char *unit; /* "s", "bytes", "rounds", "" */
    double low;       /* numbers: smallest and largest allowed */
    double high;
    const char *choices; /* CNV_PARAM_CHOICE: "fixed|adaptive-l"; else NULL */
    const char *initial; /* default, as the user would write it */
    const char *text;    /* one sentence */
};

/* A read-only view of the settings of a run; every path of the table has a valid value.
 * Asking for a path that is not in the table is a bug (asserts). */
struct cnv_config;

int64_t cnv_config_integer(const struct cnv_config *config, const char *path);
double cnv_config_real(const struct cnv_config *config, const char *path);
bool cnv_config_boolean(const struct cnv_config *config, const char *path);
/* Borrowed until the configuration changes. */
const char *cnv_config_text(const struct cnv_config *config, const char *path);
/* A CNV_PARAM_FRACTION with "1/n" resolved to 1/n (n >= 1 rows). */
double cnv_config_fraction(const struct cnv_config *config, const char *path, uint64_t n);

/* --- Options of a plug-in ------------------------------------------------------------------ */

enum { CNV_OPTIONS_MAX = 32 };

/*
 * Reads a plug-in's own settings: "name=value,name=value" in the text at path (policy/options,
 * solver/options or problem/options). options is the plug-in's table, ended by a row without a
 * path; the path of a row is the option's name, its type anything but CNV_PARAM_TEXT.
 *
 *   ret_values  out [rows]  value or default of each row: a boolean as 0 or 1, a choice as its
 *                           position from 0, "1/n" as NaN; untouched on failure
 *
 * CNV_E_INPUT names path, option and what is allowed.
 */
CNV_MUST_CHECK enum cnv_status cnv_options_read(const struct cnv_config *config,
                                                const char *path,
                                                const struct cnv_param *options,
                                                double *ret_values,
                                                struct cnv_error *err);

#endif
