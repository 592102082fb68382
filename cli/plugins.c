/*
 * plugins.c - see plugins.h. The only file of cli that knows all three registries: convene itself
 * loads every plug-in of a run, to check it before anything is started, and for --inline.
 */
#include "plugins.h"

#include <string.h>

#include "config/config.h"
#include "plugin/load.h"
#include "policy/policy.h"
#include "problem/problem.h"
#include "solver/solver.h"

static const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS] = {
    [CNV_PLUGIN_POLICY] = cnv_policy_adopt,
    [CNV_PLUGIN_SOLVER] = cnv_solver_adopt,
    [CNV_PLUGIN_PROBLEM] = cnv_problem_adopt,
};

enum cnv_status
cnv_plugins_load(const char *file, const struct cnv_plugin **ret_plugin, struct cnv_error *err)
{
    return cnv_plugin_load(file, adopt, ret_plugin, err);
}

static enum cnv_status add_file(struct cnv_config *config, const char *file, struct cnv_error *err)
{
    const struct cnv_plugin *plugin = NULL;
    enum cnv_status status = cnv_plugins_load(file, &plugin, err);

    if (status == CNV_OK) {
        bool is_policy = plugin->kind == CNV_PLUGIN_POLICY;

        status = cnv_plugin_add(config, is_policy ? "policy/plugins" : "agent/plugins", file, err);
    }
    return status;
}

static enum cnv_status fail_unknown(const char *path, const char *kind, struct cnv_error *err)
{
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s=%s: no plug-in of that name is loaded: --plugin FILE names its shared "
                    "object",
                    path,
                    kind);
}

/* What is named has to be there, before anything is started. */
static enum cnv_status check_kinds(struct cnv_config *config, struct cnv_error *err)
{
    const char *problem = cnv_config_text(config, "problem/kind");
    const char *policy = cnv_config_text(config, "policy/kind");
    const char *kind = cnv_config_text(config, "solver/kind");
    const struct cnv_solver_ops *solver = cnv_solver_find(kind);

    if (cnv_problem_find(problem) == NULL) {
        return fail_unknown("problem/kind", problem, err);
    }
    if (solver == NULL) {
        return fail_unknown("solver/kind", kind, err);
    }
    if (cnv_policy_find(policy) == NULL) {
        return fail_unknown("policy/kind", policy, err);
    }
    if (solver->plan != NULL && cnv_config_text(config, "solver/plan")[0] == '\0') {
        return cnv_config_set(config, "solver/plan", solver->plan, kind, err);
    }
    return CNV_OK;
}

enum cnv_status cnv_plugins_open(struct cnv_config *config,
                                 const struct cnv_option_list *files,
                                 struct cnv_error *err)
{
    enum cnv_status status =
        cnv_plugin_load_list(cnv_config_text(config, "policy/plugins"), adopt, err);

    if (status == CNV_OK) {
        status = cnv_plugin_load_list(cnv_config_text(config, "agent/plugins"), adopt, err);
    }
    for (size_t i = 0; i < files->count && status == CNV_OK; i++) {
        status = add_file(config, files->at[i], err);
    }
    return status == CNV_OK ? check_kinds(config, err) : status;
}
