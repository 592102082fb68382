/* plugin.c - what every plug-in is checked for, whatever its kind. */
#include "base/plugin.h"

#include <stdio.h>
#include <string.h>

const char *cnv_plugin_kind_name(uint32_t kind)
{
    static const char *const names[CNV_PLUGIN_KINDS] = {
        [CNV_PLUGIN_POLICY] = "policy",
        [CNV_PLUGIN_SOLVER] = "solver",
        [CNV_PLUGIN_PROBLEM] = "problem",
    };

    return kind < CNV_PLUGIN_KINDS && names[kind] != NULL ? names[kind] : "unknown";
}

bool cnv_plugin_name_is_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(name);

    return len > 0 && len <= CNV_PLUGIN_NAME_MAX && strspn(name, allowed) == len;
}

static enum cnv_status check_sizes(const struct cnv_plugin *plugin,
                                   const struct cnv_plugin_contract *contract,
                                   const char *file,
                                   struct cnv_error *err)
{
    for (size_t i = 0; i < contract->count; i++) {
        if (plugin->sizes[i] != contract->sizes[i]) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%.100s: its struct %s has %zu bytes, this convene's has %zu: build "
                            "it again with these headers",
                            file,
                            contract->structs[i],
                            plugin->sizes[i],
                            contract->sizes[i]);
        }
    }
    return CNV_OK;
}

/* Whether the function at that place of the ops is there: a NULL pointer is all zeros. */
static bool has_function(const void *ops, size_t offset)
{
    void (*function)(void) = NULL;

    memcpy(&function, (const char *) ops + offset, sizeof(function));
    return function != NULL;
}

enum cnv_status cnv_plugin_check(const struct cnv_plugin *plugin,
                                 const struct cnv_plugin_contract *contract,
                                 const char *file,
                                 char ret_name[CNV_PLUGIN_FULL_SIZE],
                                 struct cnv_error *err)
{
    const char *kind = cnv_plugin_kind_name(contract->kind);
    const char *words[2] = { NULL, NULL }; /* name, text */
    enum cnv_status status = check_sizes(plugin, contract, file, err);

    if (status != CNV_OK) {
        return status;
    }
    if (plugin->ops == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: the %s has no table of functions", file, kind);
    }
    memcpy(words, plugin->ops, sizeof(words));
    if (words[0] == NULL || !cnv_plugin_name_is_valid(words[0])) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%.100s: %s name \"%.40s\": allowed are 1 to %d lower-case letters, digits "
                        "and '-'",
                        file,
                        kind,
                        words[0] == NULL ? "" : words[0],
                        CNV_PLUGIN_NAME_MAX);
    }
    if (words[1] == NULL || words[1][0] == '\0') {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: %s %s has no text", file, kind, words[0]);
    }
    for (const struct cnv_plugin_function *at = contract->needed; at->name != NULL; at++) {
        if (!has_function(plugin->ops, at->offset)) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%.100s: %s %s has no function %s",
                            file,
                            kind,
                            words[0],
                            at->name);
        }
    }
    (void) snprintf(ret_name, CNV_PLUGIN_FULL_SIZE, "plugin:%s", words[0]);
    return CNV_OK;
}
