/*
 * change.c - what an operator may change in mid-run: the policy and its settings, said in words.
 *
 * A policy of another kind starts without the options of the one before; keys that both have, such
 * as policy/local-steps, stay as they are unless they are given.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/store.h"
#include "config/value.h"

static const char origin[] = "command";

/* "local-steps=4" and "policy/local-steps=4" are the same. */
static enum cnv_status
change_setting(struct cnv_config *config, const char *word, struct cnv_error *err)
{
    char assignment[2 * CNV_VALUE_SIZE];
    const char *slash = strchr(word, '/');
    const char *equals = strchr(word, '=');
    bool has_section = slash != NULL && slash < equals;
    char shown[CNV_SHOWN_SIZE];

    (void) snprintf(assignment, sizeof(assignment), "%s%s", has_section ? "" : "policy/", word);
    cnv_value_show(assignment, shown);
    if (strncmp(assignment, "policy/", strlen("policy/")) != 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: %s: in mid-run only the keys of policy/ can be set",
                        origin,
                        shown);
    }
    if (strncmp(assignment, "policy/plugins=", strlen("policy/plugins=")) == 0) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: %s: plug-ins are loaded when the server starts, never later",
                        origin,
                        shown);
    }
    return cnv_config_assign(config, assignment, origin, err);
}

static enum cnv_status
change_kind(struct cnv_config *config, const char *kind, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;

    if (strcmp(kind, cnv_config_text(config, "policy/kind")) != 0) {
        status = cnv_config_set(config, "policy/options", "", origin, err);
    }
    return status == CNV_OK ? cnv_config_set(config, "policy/kind", kind, origin, err) : status;
}

static enum cnv_status change_all(struct cnv_config *config, char *words, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    bool is_first = true;
    char *rest = NULL;

    for (char *word = strtok_r(words, " ", &rest); word != NULL && status == CNV_OK;
         word = strtok_r(NULL, " ", &rest)) {
        bool is_setting = strchr(word, '=') != NULL;

        if (!is_setting && !is_first) {
            status = cnv_fail(err,
                              CNV_E_INPUT,
                              "%s: %.60s: expected KEY=VALUE behind the kind of policy",
                              origin,
                              word);
        } else {
            status =
                is_setting ? change_setting(config, word, err) : change_kind(config, word, err);
        }
        is_first = false;
    }
    if (status == CNV_OK && is_first) {
        status = cnv_fail(err, CNV_E_INPUT, "%s: expected KIND, KEY=VALUE or both", origin);
    }
    return status == CNV_OK ? cnv_config_check(config, err) : status;
}

enum cnv_status
cnv_config_change_policy(struct cnv_config *config, const char *words, struct cnv_error *err)
{
    struct cnv_config *result = cnv_config_copy(config);
    char *copy = cnv_string_new(words);
    enum cnv_status status = CNV_OK;

    if (result == NULL || copy == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "%s: out of memory", origin);
    } else {
        status = change_all(result, copy, err);
    }
    if (status == CNV_OK) {
        cnv_config_become(config, result);
    }
    cnv_free(copy);
    cnv_config_destroy(result);
    return status;
}
