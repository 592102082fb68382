/* method.c - see method.h. */
#include "trainer/method.h"

#include <string.h>

#include "solver/solver.h"

enum cnv_status cnv_method_unknown(const char *path, const char *name, struct cnv_error *err)
{
    bool is_plugin = strncmp(name, "plugin:", strlen("plugin:")) == 0;

    return cnv_fail(err,
                    CNV_E_MISFIT,
                    "the run's %s=%s is not known here%s%s",
                    path,
                    name,
                    is_plugin ? ": start the agent with --plugin FILE, the shared object of " : "",
                    is_plugin ? name + strlen("plugin:") : "");
}

enum cnv_status cnv_method_smoothness(const struct cnv_config *config,
                                      struct cnv_problem *problem,
                                      double *ret_smoothness,
                                      struct cnv_error *err)
{
    const struct cnv_solver_ops *solver = cnv_solver_find(cnv_config_text(config, "solver/kind"));
    enum cnv_smoothness of =
        solver->smoothness == NULL ? CNV_SMOOTHNESS_NONE : solver->smoothness(config);

    *ret_smoothness = 0;
    if (of == CNV_SMOOTHNESS_NONE || problem->ops->smoothness == NULL) {
        return CNV_OK;
    }
    return problem->ops->smoothness(problem->state, of, ret_smoothness, err);
}
