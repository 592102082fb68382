/*
 * environment.c - settings from variables: CONVENE_POLICY_LOCAL_STEPS for policy/local-steps.
 *
 * A mistyped setting must not pass unseen, yet others put variables beside ours (Kubernetes makes
 * CONVENE_PORT of a service "convene"): what names a section is ours and has to be known.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/store.h"
#include "config/value.h"

static const char variable_prefix[] = "CONVENE_";

/* The variable that gives a key: CONVENE_POLICY_LOCAL_STEPS for policy/local-steps. */
static void variable_of(const char *path, char *ret_name)
{
    size_t used = strlen(variable_prefix);

    (void) snprintf(ret_name, CNV_VALUE_SIZE, "%s%s", variable_prefix, path);
    for (char *at = ret_name + used; *at != '\0'; at++) {
        if (*at == '/' || *at == '-') {
            *at = '_';
        } else {
            *at = (char) toupper((unsigned char) *at);
        }
    }
}

static const struct cnv_param *find_by_variable(const char *name)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        char variable[CNV_VALUE_SIZE];

        variable_of(param->path, variable);
        if (strcmp(variable, name) == 0) {
            return param;
        }
    }
    return NULL;
}

static const struct cnv_param *nearest_by_variable(const char *name)
{
    const struct cnv_param *nearest = NULL;
    size_t least = SIZE_MAX;

    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        char variable[CNV_VALUE_SIZE];
        size_t distance = 0;

        variable_of(param->path, variable);
        distance = cnv_edit_distance(variable, name);
        if (distance < least) {
            least = distance;
            nearest = param;
        }
    }
    return nearest;
}

/* Whether the first word behind the prefix is a section: CONVENE_POLICY_SPEED, CONVENE_LOG. */
static bool names_section(const char *name)
{
    char word[CNV_VALUE_SIZE];
    size_t len = strcspn(name + strlen(variable_prefix), "_");

    for (size_t i = 0; i < len && i + 1 < sizeof(word); i++) {
        word[i] = (char) tolower((unsigned char) name[strlen(variable_prefix) + i]);
    }
    return len < sizeof(word) && cnv_param_is_section(word, len);
}

static bool is_ignored(const char *name, const char *const *ignored)
{
    if (strncmp(name, "CONVENE_TEST_", strlen("CONVENE_TEST_")) == 0) {
        return true;
    }
    for (; ignored != NULL && *ignored != NULL; ignored++) {
        if (strcmp(*ignored, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum cnv_status take_variable(struct cnv_config *config,
                                     const char *name,
                                     const char *value,
                                     void (*warn)(const char *name),
                                     struct cnv_error *err)
{
    const struct cnv_param *param = find_by_variable(name);
    char variable[CNV_VALUE_SIZE];
    char shown_name[CNV_SHOWN_SIZE];
    char shown_value[CNV_SHOWN_SIZE];

    if (param != NULL) {
        return cnv_config_set(config, param->path, value, "environment", err);
    }
    cnv_value_show(name, shown_name);
    if (!names_section(name)) {
        if (warn != NULL) {
            warn(shown_name);
        }
        return CNV_OK;
    }
    cnv_value_show(value, shown_value);
    variable_of(nearest_by_variable(name)->path, variable);
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "environment: %s=%s: unknown key; the nearest known key is %s",
                    shown_name,
                    shown_value,
                    variable);
}

enum cnv_status cnv_config_environment(struct cnv_config *config,
                                       char *const *environment,
                                       const char *const *ignored,
                                       void (*warn)(const char *name),
                                       struct cnv_error *err)
{
    struct cnv_config *result = cnv_config_copy(config);
    enum cnv_status status = CNV_OK;

    if (result == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "environment: out of memory");
    }
    for (; *environment != NULL && status == CNV_OK; environment++) {
        char name[CNV_VALUE_SIZE];
        const char *equals = strchr(*environment, '=');

        if (equals == NULL ||
            strncmp(*environment, variable_prefix, strlen(variable_prefix)) != 0) {
            continue;
        }
        (void) snprintf(name, sizeof(name), "%.*s", (int) (equals - *environment), *environment);
        if (!is_ignored(name, ignored)) {
            status = take_variable(result, name, equals + 1, warn, err);
        }
    }
    if (status == CNV_OK) {
        cnv_config_become(config, result);
    }
    cnv_config_destroy(result);
    return status;
}
