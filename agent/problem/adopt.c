/*
 * adopt.c - problems from shared objects, beside the built-in ones.
 *
 * What a plug-in exports is copied, so that its name can be plugin:NAME and what it may leave out
 * is there for everybody who calls it. The one list of the process: a program fills it at its
 * start, before there is a second thread, and never again.
 */
#include <stdio.h>
#include <string.h>

#include "problem/problem.h"

enum { ADOPTED_MAX = 16 };

static struct {
    char name[CNV_PLUGIN_FULL_SIZE];
    struct cnv_problem_ops ops;
} adopted[ADOPTED_MAX];
static size_t adopted_count;

static const struct cnv_plugin_function needed[] = {
    { "init", offsetof(struct cnv_problem_ops, init) },
    { "dimension", offsetof(struct cnv_problem_ops, dimension) },
    { "loss", offsetof(struct cnv_problem_ops, loss) },
    { "gradient", offsetof(struct cnv_problem_ops, gradient) },
    { "score", offsetof(struct cnv_problem_ops, score) },
    { NULL, 0 },
};

static const struct cnv_plugin_contract contract = {
    .kind = CNV_PLUGIN_PROBLEM,
    .sizes = { CNV_PROBLEM_STRUCTS(CNV_PLUGIN_SIZE_OF) },
    .structs = { CNV_PROBLEM_STRUCTS(CNV_PLUGIN_NAME_OF) },
    .count = sizeof((const char *[]){ CNV_PROBLEM_STRUCTS(CNV_PLUGIN_NAME_OF) }) / sizeof(char *),
    .needed = needed,
};

static void do_nothing(void *state)
{
    (void) state;
}

const struct cnv_problem_ops *cnv_problem_adopted(size_t i)
{
    return i < adopted_count ? &adopted[i].ops : NULL;
}

enum cnv_status
cnv_problem_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err)
{
    char name[CNV_PLUGIN_FULL_SIZE];
    enum cnv_status status = cnv_plugin_check(plugin, &contract, file, name, err);

    if (status != CNV_OK) {
        return status;
    }
    if (cnv_problem_find(name) != NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: there is a problem %s already", file, name);
    }
    if (adopted_count == ADOPTED_MAX) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: more than %d plug-ins", file, ADOPTED_MAX);
    }
    struct cnv_problem_ops *ops = &adopted[adopted_count].ops;
    memcpy(adopted[adopted_count].name, name, sizeof(name));
    *ops = *(const struct cnv_problem_ops *) plugin->ops;
    ops->name = adopted[adopted_count].name;
    ops->fini = ops->fini == NULL ? do_nothing : ops->fini;
    adopted_count++;
    return CNV_OK;
}
