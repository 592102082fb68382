/* plugins.h - plug-ins of a run on this machine: loaded here, and named to those they belong to. */
#ifndef CNV_CLI_PLUGINS_H
#define CNV_CLI_PLUGINS_H

#include "base/param.h"
#include "base/plugin.h"
#include "options.h"

/* Loads one file, of whatever kind. */
CNV_MUST_CHECK enum cnv_status
cnv_plugins_load(const char *file, const struct cnv_plugin **ret_plugin, struct cnv_error *err);

/*
 * Loads what the settings name (policy/plugins, agent/plugins) and files, which are added to these
 * settings by their kind, so that convened and the agents load them too; sets solver/plan where the
 * solver asks for one. CNV_E_INPUT: see cnv_plugin_load; or a kind that none of them has.
 */
CNV_MUST_CHECK enum cnv_status cnv_plugins_open(struct cnv_config *config,
                                                const struct cnv_option_list *files,
                                                struct cnv_error *err);

#endif
