/*
 * adopt.c - policys from shared objects, beside the built-in ones.
 *
 * What a plug-in exports is copied, so that its name can be plugin:NAME and what it may leave out
 * is there for everybody who calls it. The one list of the process: a program fills it at its
 * start, before there is a second thread, and never again.
 */
#include <stdio.h>
#include <string.h>

#include "registry.h"

enum { ADOPTED_MAX = 16 };

static struct {
    char name[CNV_PLUGIN_FULL_SIZE];
    struct cnv_policy_ops ops;
} adopted[ADOPTED_MAX];
static size_t adopted_count;

static const struct cnv_plugin_function needed[] = {
    { "init", offsetof(struct cnv_policy_ops, init) },
    { "decide", offsetof(struct cnv_policy_ops, decide) },
    { NULL, 0 },
};

static const struct cnv_plugin_contract contract = {
    .kind = CNV_PLUGIN_POLICY,
    .sizes = { CNV_POLICY_STRUCTS(CNV_PLUGIN_SIZE_OF) },
    .structs = { CNV_POLICY_STRUCTS(CNV_PLUGIN_NAME_OF) },
    .count = sizeof((const char *[]){ CNV_POLICY_STRUCTS(CNV_PLUGIN_NAME_OF) }) / sizeof(char *),
    .needed = needed,
};

/* NOLINTNEXTLINE(readability-non-const-parameter): as the table has it */
static size_t save_nothing(const void *state, uint8_t *bytes, size_t size)
{
    (void) state;
    (void) bytes;
    (void) size;
    return 0;
}

static enum cnv_status
load_nothing(void *state, const uint8_t *bytes, size_t size, struct cnv_error *err)
{
    (void) state;
    (void) bytes;
    return size == 0 ? CNV_OK
                     : cnv_fail(err, CNV_E_SIZE, "state of a policy has %zu bytes, not 0", size);
}

const struct cnv_policy_ops *cnv_policy_adopted(size_t i)
{
    return i < adopted_count ? &adopted[i].ops : NULL;
}

enum cnv_status
cnv_policy_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err)
{
    char name[CNV_PLUGIN_FULL_SIZE];
    const struct cnv_policy_ops *source = plugin->ops;
    enum cnv_status status = cnv_plugin_check(plugin, &contract, file, name, err);

    if (status != CNV_OK) {
        return status;
    }
    if (cnv_policy_find(name) != NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: there is a policy %s already", file, name);
    }
    if ((source->save == NULL) != (source->load == NULL)) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s: policy %s has no function %s",
                        file,
                        source->name,
                        source->save == NULL ? "save" : "load");
    }
    if (adopted_count == ADOPTED_MAX) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: more than %d plug-ins", file, ADOPTED_MAX);
    }
    struct cnv_policy_ops *ops = &adopted[adopted_count].ops;
    memcpy(adopted[adopted_count].name, name, sizeof(name));
    *ops = *source;
    ops->name = adopted[adopted_count].name;
    ops->paper = ops->paper == NULL ? "" : ops->paper;
    if (ops->save == NULL) {
        ops->save = save_nothing;
        ops->load = load_nothing;
    }
    adopted_count++;
    return CNV_OK;
}
