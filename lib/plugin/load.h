/*
 * load.h - brings plug-ins into this process: opens the shared object, finds its table, looks
 * whether it is one of ours, and hands it to the registry of its kind.
 *
 * Done at the start of a program, before there is a second thread; a plug-in stays until its end.
 */
#ifndef CNV_PLUGIN_LOAD_H
#define CNV_PLUGIN_LOAD_H

#include "base/plugin.h"

/* Takes a plug-in into a registry: cnv_policy_adopt and its like. */
typedef enum cnv_status (*cnv_plugin_adopt_fn)(const struct cnv_plugin *plugin,
                                               const char *file,
                                               struct cnv_error *err);

/*
 * Loads one file. adopt[kind] is NULL where this program has no use for that kind: that is refused,
 * and says who has. ret_plugin may be NULL.
 *
 * CNV_E_INPUT, naming file and fault: not there, no shared object, no table of ours, another
 * version (both are named), a function it calls is missing here, options or ops are not as they
 * should be, a name is taken.
 */
CNV_MUST_CHECK enum cnv_status cnv_plugin_load(const char *file,
                                               const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS],
                                               const struct cnv_plugin **ret_plugin,
                                               struct cnv_error *err);

/* What --plugin FILE does: adds the file to the list at path. CNV_E_INPUT: it does not fit. */
CNV_MUST_CHECK enum cnv_status cnv_plugin_add(struct cnv_config *config,
                                              const char *path,
                                              const char *file,
                                              struct cnv_error *err);

/* Each file of a list separated by commas; an empty list is fine. */
CNV_MUST_CHECK enum cnv_status cnv_plugin_load_list(
    const char *files, const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS], struct cnv_error *err);

#endif
