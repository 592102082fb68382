/* with_plugins.c - see with_plugins.h. */
#include "with_plugins.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugin/load.h"
#include "policy/policy.h"
#include "problem/problem.h"
#include "solver/solver.h"

void with_plugins(void)
{
    static const char *const variables[] = { "CONVENE_TEST_EXAMPLES", "CONVENE_TEST_PLUGINS" };
    static const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS] = {
        [CNV_PLUGIN_POLICY] = cnv_policy_adopt,
        [CNV_PLUGIN_SOLVER] = cnv_solver_adopt,
        [CNV_PLUGIN_PROBLEM] = cnv_problem_adopt,
    };
    struct cnv_error err;

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *files = getenv(variables[i]); /* NOLINT(concurrency-mt-unsafe) */

        if (files != NULL && cnv_plugin_load_list(files, adopt, &err) != CNV_OK) {
            (void) fprintf(stderr, "%s: %s\n", variables[i], err.text);
            abort();
        }
    }
}
