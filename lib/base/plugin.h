/*
 * plugin.h - a policy, solver or problem in a shared object: the one constant table it exports.
 *
 * An author fills the same table of functions as the built-in ones and ends the file with a line:
 *
 *     CNV_POLICY_PLUGIN(&ops, options);      of policy/policy.h; likewise in solver.h, problem.h
 *
 * It is known as plugin:NAME. Everything is checked before the first of its functions is called:
 * magic and version stand first in every version of this table; sizes tell headers that differ
 * although the version does not; what is missing is named.
 */
#ifndef CNV_BASE_PLUGIN_H
#define CNV_BASE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/status.h"

/* Raised when a plug-in built with older headers would not work although all sizes are the same. */
enum { CNV_PLUGIN_VERSION = 2 };

enum {
    CNV_PLUGIN_STRUCTS_MAX = 8,
    CNV_PLUGIN_NAME_MAX = 16, /* characters of NAME: lower-case letters, digits, '-' */
    CNV_PLUGIN_FULL_SIZE = sizeof("plugin:") + CNV_PLUGIN_NAME_MAX,
};

enum cnv_plugin_kind {
    CNV_PLUGIN_POLICY = 1,
    CNV_PLUGIN_SOLVER,
    CNV_PLUGIN_PROBLEM,
    CNV_PLUGIN_KINDS, /* one past the last */
};

/* Filled by the macros below. */
struct cnv_plugin {
    char magic[8]; /* "convene" */
    uint32_t version;
    uint32_t kind;
    size_t sizes[CNV_PLUGIN_STRUCTS_MAX]; /* of the structs of its kind, as its compiler saw them */
    const void *ops;                      /* struct cnv_policy_ops and so on */
    const struct cnv_param *options;      /* ended by a row without a path; NULL: it has none */
};

/* The symbol that is looked for. */
extern const struct cnv_plugin cnv_plugin __attribute__((visibility("default")));

/* What CNV_POLICY_PLUGIN and its like expand to; STRUCTS lists the structs of the interface. */
#define CNV_PLUGIN_TABLE(KIND, STRUCTS, OPS, OPTIONS)                                              \
    const struct cnv_plugin cnv_plugin = {                                                         \
        .magic = "convene",                                                                        \
        .version = CNV_PLUGIN_VERSION,                                                             \
        .kind = (KIND),                                                                            \
        .sizes = { STRUCTS(CNV_PLUGIN_SIZE_OF) },                                                  \
        .ops = (OPS),                                                                              \
        .options = (OPTIONS),                                                                      \
    }
#define CNV_PLUGIN_SIZE_OF(name) sizeof(struct name),
#define CNV_PLUGIN_NAME_OF(name) #name,

/* --- The other side: what a registry asks of a plug-in ------------------------------------- */

struct cnv_plugin_function {
    const char *name;
    size_t offset; /* in the ops */
};

struct cnv_plugin_contract {
    enum cnv_plugin_kind kind;
    size_t sizes[CNV_PLUGIN_STRUCTS_MAX];
    const char *structs[CNV_PLUGIN_STRUCTS_MAX]; /* their names */
    size_t count;
    const struct cnv_plugin_function *needed; /* ended by a row without a name */
};

/* "policy", "solver", "problem"; "unknown" else. */
const char *cnv_plugin_kind_name(uint32_t kind);

/* Whether it is fit to stand behind "plugin:". */
bool cnv_plugin_name_is_valid(const char *name);

/*
 * Checks sizes, name, text and functions of a plug-in whose version is right, and writes
 * "plugin:NAME" to ret_name. Name and text are the first two members of every ops. CNV_E_INPUT
 * names file and fault.
 */
CNV_MUST_CHECK enum cnv_status cnv_plugin_check(const struct cnv_plugin *plugin,
                                                const struct cnv_plugin_contract *contract,
                                                const char *file,
                                                char ret_name[CNV_PLUGIN_FULL_SIZE],
                                                struct cnv_error *err);

#endif
