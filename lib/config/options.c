/*
 * options.c - the settings of a plug-in, which are no keys of ours: "name=value,name=value" in
 * policy/options, solver/options or problem/options, described by a table of the plug-in's own.
 *
 * The same rows as the keys, the same parser, the same words for what is allowed.
 */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"

static size_t option_count(const struct cnv_param *options)
{
    size_t count = 0;

    while (options != NULL && options[count].path != NULL) {
        count++;
    }
    return count;
}

static const struct cnv_param *
option_find(const struct cnv_param *options, const char *name, size_t len)
{
    for (size_t i = 0; i < option_count(options); i++) {
        if (strlen(options[i].path) == len && strncmp(options[i].path, name, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/* Which of the choices it is, from 0. */
static double choice_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    double index = 0.0;

    for (const char *at = choices; strncmp(at, value, len) != 0 || strcspn(at, "|") != len;) {
        at = strchr(at, '|') + 1;
        index += 1.0;
    }
    return index;
}

static bool option_parse(const struct cnv_param *option, const char *value, double *ret_number)
{
    if (!cnv_value_parse(option, value, ret_number)) {
        return false;
    }
    if (option->type == CNV_PARAM_CHOICE) {
        *ret_number = choice_index(option->choices, value);
    }
    return true;
}

enum cnv_status
cnv_options_check(const struct cnv_param *options, const char *file, struct cnv_error *err)
{
    size_t count = option_count(options);
    double number = 0.0;

    if (count > CNV_OPTIONS_MAX) {
        return cnv_fail(err, CNV_E_INPUT, "%.100s: more than %d options", file, CNV_OPTIONS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cnv_param *option = &options[i];

        if (option->type == CNV_PARAM_TEXT || option->path[strcspn(option->path, "=,/ ")] != '\0' ||
            option->text == NULL || option->initial == NULL ||
            (option->type == CNV_PARAM_CHOICE) != (option->choices != NULL) ||
            !option_parse(option, option->initial, &number)) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%.100s: option %.40s: expected a name, a number, choice or boolean "
                            "with its default, and a text",
                            file,
                            option->path);
        }
    }
    return CNV_OK;
}

/* "there are a, b, c" */
static enum cnv_status fail_unknown(const struct cnv_param *options,
                                    const char *path,
                                    const char *name,
                                    struct cnv_error *err)
{
    char known[CNV_ALLOWED_SIZE] = "";
    size_t used = 0;

    for (size_t i = 0; i < option_count(options) && used < sizeof(known); i++) {
        used += (size_t) snprintf(
            known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ", options[i].path);
    }
    return cnv_fail(err,
                    CNV_E_INPUT,
                    "%s: there is no option \"%.40s\": %s%.120s",
                    path,
                    name,
                    known[0] == '\0' ? "there are none" : "there are ",
                    known);
}

static enum cnv_status take_item(const struct cnv_param *options,
                                 const char *path,
                                 const char *item,
                                 double *values,
                                 struct cnv_error *err)
{
    size_t len = strcspn(item, "=");
    const struct cnv_param *option = option_find(options, item, len);
    char allowed[CNV_ALLOWED_SIZE];

    if (len == 0 || item[len] != '=') {
        return cnv_fail(
            err, CNV_E_INPUT, "%s: \"%.60s\" is not of the form name=value", path, item);
    }
    if (option == NULL) {
        char name[64];

        (void) snprintf(name, sizeof(name), "%.*s", (int) len, item);
        return fail_unknown(options, path, name, err);
    }
    if (!option_parse(option, item + len + 1, &values[option - options])) {
        cnv_value_allowed(option, allowed);
        return cnv_fail(err, CNV_E_INPUT, "%s: %.60s: allowed is %s", path, item, allowed);
    }
    return CNV_OK;
}

enum cnv_status cnv_options_read(const struct cnv_config *config,
                                 const char *path,
                                 const struct cnv_param *options,
                                 double *ret_values,
                                 struct cnv_error *err)
{
    const char *text = cnv_config_text(config, path);
    size_t count = option_count(options);
    double values[CNV_OPTIONS_MAX] = { 0.0 };
    enum cnv_status status = cnv_options_check(options, path, err);

    for (size_t i = 0; i < count && status == CNV_OK; i++) {
        (void) option_parse(&options[i], options[i].initial, &values[i]);
    }
    while (*text != '\0' && status == CNV_OK) {
        char item[CNV_VALUE_SIZE];
        size_t len = strcspn(text, ",");

        (void) snprintf(item, sizeof(item), "%.*s", (int) len, text);
        status = take_item(options, path, item, values, err);
        text += len + (text[len] == ',');
    }
    if (status == CNV_OK && count > 0) {
        memcpy(ret_values, values, count * sizeof(*values));
    }
    return status;
}
