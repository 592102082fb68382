/*
 * adopt.c - solvers from shared objects, beside the built-in ones.
 *
 * What a plug-in exports is copied, so that its name can be plugin:NAME and what it may leave out
 * is there for everybody who calls it. The one list of the process: a program fills it at its
 * start, before there is a second thread, and never again.
 */
#include <stdio.h>
#include <string.h>

#include "solver/solver.h"

enum { ADOPTED_MAX = 16 };

static struct {
    char name[CNV_PLUGIN_FULL_SIZE];
    struct cnv_solver_ops ops;
} adopted[ADOPTED_MAX];
static size_t adopted_count;

static const struct cnv_plugin_function needed[] = {
    { "init", offsetof(struct cnv_solver_ops, init) },
    { "begin", offsetof(struct cnv_solver_ops, begin) },
    { "step", offsetof(struct cnv_solver_ops, step) },
    { "contribute", offsetof(struct cnv_solver_ops, contribute) },
    { NULL, 0 },
};

static const struct cnv_plugin_contract contract = {
    .kind = CNV_PLUGIN_SOLVER,
    .sizes = { CNV_SOLVER_STRUCTS(CNV_PLUGIN_SIZE_OF) },
    .structs = { CNV_SOLVER_STRUCTS(CNV_PLUGIN_NAME_OF) },
    .count = sizeof((const char *[]){ CNV_SOLVER_STRUCTS(CNV_PLUGIN_NAME_OF) }) / sizeof(char *),
    .needed = needed,
};

static void do_nothing(void *state)
{
    (void) state;
}

static void learn_nothing(void *state,
                          const char *exchange,
                          uint32_t index,
                          const struct cnv_solver_result *result)
{
    (void) state;
    (void) exchange;
    (void) index;
    (void) result;
}

static void conclude_nothing(void *state, bool counted)
{
    (void) state;
    (void) counted;
}

const struct cnv_solver_ops *cnv_solver_adopted(size_t i)
{
    return i < adopted_count ? &adopted[i].ops : NULL;
}

enum cnv_status
cnv_solver_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err)
{
    char name[CNV_PLUGIN_FULL_SIZE];
    enum cnv_status status = cnv_plugin_check(plugin, &contract, file, name, err);

    if (status != CNV_OK) {
        return status;
    }
    if (cnv_solver_find(name) != NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: there is a solver %s already", file, name);
    }
    if (adopted_count == ADOPTED_MAX) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: more than %d plug-ins", file, ADOPTED_MAX);
    }
    struct cnv_solver_ops *ops = &adopted[adopted_count].ops;
    memcpy(adopted[adopted_count].name, name, sizeof(name));
    *ops = *(const struct cnv_solver_ops *) plugin->ops;
    ops->name = adopted[adopted_count].name;
    ops->paper = ops->paper == NULL ? "" : ops->paper;
    ops->plan = ops->plan == NULL ? "model" : ops->plan;
    ops->fini = ops->fini == NULL ? do_nothing : ops->fini;
    ops->settled = ops->settled == NULL ? learn_nothing : ops->settled;
    ops->concluded = ops->concluded == NULL ? conclude_nothing : ops->concluded;
    adopted_count++;
    return CNV_OK;
}
