/*
 * store.c - the settings themselves: a text and its number for each row of the table.
 *
 * Invariant: every setting has a valid value at any time; a refused one leaves the old in place.
 * Plain memory without pointers, so a copy is an assignment; the simulator keeps many.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/store.h"
#include "config/value.h"

struct setting {
    bool is_given; /* not the default of the table */
    char text[CNV_VALUE_SIZE];
    double number;
};

/* One setting for each row of the table, in its order. */
struct cnv_config {
    size_t count;
    struct setting settings[];
};

/* What agents are told at join: these keys, and the keys of these sections. */
static const char *const shared_keys[] = {
    "run/seed",  "run/agents",   "run/iterations", "problem/",   "solver/",     "policy/kind",
    "encoding/", "data/shuffle", "data/shared",    "data/scale", "data/labels", "data/missing",
    NULL,
};

static size_t key_count(void)
{
    size_t count = 0;

    while (cnv_config_keys[count].path != NULL) {
        count++;
    }
    return count;
}

static size_t config_size(size_t count)
{
    return sizeof(struct cnv_config) + count * sizeof(struct setting);
}

static void setting_write(struct setting *setting, const char *text, double number)
{
    (void) snprintf(setting->text, sizeof(setting->text), "%s", text);
    setting->number = number;
}

struct cnv_config *cnv_config_new(void)
{
    size_t count = key_count();
    struct cnv_config *config = cnv_array_new(config_size(count), 1);

    if (config == NULL) {
        return NULL;
    }
    config->count = count;
    for (size_t i = 0; i < count; i++) {
        double number = 0.0;
        bool is_valid = cnv_value_parse(&cnv_config_keys[i], cnv_config_keys[i].initial, &number);

        assert(is_valid);
        (void) is_valid;
        setting_write(&config->settings[i], cnv_config_keys[i].initial, number);
    }
    return config;
}

struct cnv_config *cnv_config_copy(const struct cnv_config *config)
{
    struct cnv_config *copy = cnv_array_new(config_size(config->count), 1);

    if (copy != NULL) {
        memcpy(copy, config, config_size(config->count));
    }
    return copy;
}

void cnv_config_become(struct cnv_config *config, const struct cnv_config *other)
{
    assert(config->count == other->count);
    memcpy(config, other, config_size(config->count));
}

void cnv_config_destroy(struct cnv_config *config)
{
    cnv_free(config);
}

enum cnv_status cnv_config_set(struct cnv_config *config,
                               const char *path,
                               const char *value,
                               const char *origin,
                               struct cnv_error *err)
{
    const struct cnv_param *param = cnv_param_find(path);
    char shown_path[CNV_SHOWN_SIZE];
    char shown_value[CNV_SHOWN_SIZE];
    double number = 0.0;

    cnv_value_show(path, shown_path);
    cnv_value_show(value, shown_value);
    if (param == NULL) {
        return cnv_fail(err,
                        CNV_E_INPUT,
                        "%s: %s=%s: unknown key; the nearest known key is %s",
                        origin,
                        shown_path,
                        shown_value,
                        cnv_param_nearest(path)->path);
    }
    if (!cnv_value_parse(param, value, &number)) {
        char allowed[CNV_ALLOWED_SIZE];

        cnv_value_allowed(param, allowed);
        return cnv_fail(
            err, CNV_E_INPUT, "%s: %s=%s: allowed is %s", origin, shown_path, shown_value, allowed);
    }
    setting_write(&config->settings[param - cnv_config_keys], value, number);
    config->settings[param - cnv_config_keys].is_given = true;
    return CNV_OK;
}

/* A key that was not given, as the others ask for. */
static void derive(struct cnv_config *config, const char *path, const char *value)
{
    const struct cnv_param *param = cnv_param_find(path);
    struct setting *setting = &config->settings[param - cnv_config_keys];
    double number = 0.0;

    if (!setting->is_given && cnv_value_parse(param, value, &number)) {
        setting_write(setting, value, number);
    }
}

void cnv_config_settle(struct cnv_config *config)
{
    bool has_end = cnv_config_integer(config, "run/iterations") > 0 ||
                   cnv_config_real(config, "run/seconds") > 0;

    derive(config, "run/rounds", has_end ? "0" : cnv_param_find("run/rounds")->initial);
    derive(config,
           "policy/local-steps",
           cnv_config_draws_blocks(config) ? "1" : cnv_param_find("policy/local-steps")->initial);
}

/* What stands before "=" into ret_path[CNV_VALUE_SIZE]. No key is nearly as long: a cut path is as
 * unknown as the whole. */
static void path_of(const char *assignment, char *ret_path)
{
    size_t len = strcspn(assignment, "=");

    len = len < CNV_VALUE_SIZE ? len : CNV_VALUE_SIZE - 1;
    memcpy(ret_path, assignment, len);
    ret_path[len] = '\0';
}

enum cnv_status cnv_config_assign(struct cnv_config *config,
                                  const char *assignment,
                                  const char *origin,
                                  struct cnv_error *err)
{
    char path[CNV_VALUE_SIZE];
    const char *equals = strchr(assignment, '=');

    if (equals == NULL || equals == assignment) {
        char shown[CNV_SHOWN_SIZE];

        cnv_value_show(assignment, shown);
        return cnv_fail(
            err, CNV_E_INPUT, "%s: \"%s\" is not of the form section/key=value", origin, shown);
    }
    path_of(assignment, path);
    return cnv_config_set(config, path, equals + 1, origin, err);
}

static const struct setting *setting_find(const struct cnv_config *config, const char *path)
{
    const struct cnv_param *param = cnv_param_find(path);

    assert(param != NULL);
    return &config->settings[param - cnv_config_keys];
}

/* As above, for a key that has to be of that type. */
static const struct setting *
setting_of_type(const struct cnv_config *config, const char *path, enum cnv_param_type type)
{
    const struct setting *setting = setting_find(config, path);

    assert(cnv_config_keys[setting - config->settings].type == type);
    (void) type;
    return setting;
}

int64_t cnv_config_integer(const struct cnv_config *config, const char *path)
{
    return (int64_t) setting_of_type(config, path, CNV_PARAM_INTEGER)->number;
}

double cnv_config_real(const struct cnv_config *config, const char *path)
{
    return setting_of_type(config, path, CNV_PARAM_REAL)->number;
}

bool cnv_config_boolean(const struct cnv_config *config, const char *path)
{
    return setting_of_type(config, path, CNV_PARAM_BOOLEAN)->number != 0.0;
}

const char *cnv_config_text(const struct cnv_config *config, const char *path)
{
    const struct cnv_param *param = cnv_param_find(path);

    assert(param != NULL && (param->type == CNV_PARAM_TEXT || param->type == CNV_PARAM_CHOICE));
    return setting_of_type(config, path, param->type)->text;
}

double cnv_config_fraction(const struct cnv_config *config, const char *path, uint64_t n)
{
    double number = setting_of_type(config, path, CNV_PARAM_FRACTION)->number;

    assert(n >= 1);
    return isnan(number) ? 1.0 / (double) n : number;
}

bool cnv_config_is_set(const struct cnv_config *config, const char *path)
{
    const struct setting *setting = setting_find(config, path);
    const struct cnv_param *param = &cnv_config_keys[setting - config->settings];
    double initial = 0.0;

    if (param->type == CNV_PARAM_TEXT || param->type == CNV_PARAM_CHOICE) {
        return strcmp(setting->text, param->initial) != 0;
    }
    (void) cnv_value_parse(param, param->initial, &initial);
    return !(setting->number == initial || (isnan(setting->number) && isnan(initial)));
}

bool cnv_config_is_given(const struct cnv_config *config, const char *path)
{
    return setting_find(config, path)->is_given;
}

const char *cnv_config_value(const struct cnv_config *config, const char *path)
{
    return setting_find(config, path)->text;
}

static bool is_shared(const char *path)
{
    for (size_t i = 0; shared_keys[i] != NULL; i++) {
        size_t len = strlen(shared_keys[i]);

        if (strcmp(path, shared_keys[i]) == 0 ||
            (shared_keys[i][len - 1] == '/' && strncmp(path, shared_keys[i], len) == 0)) {
            return true;
        }
    }
    return false;
}

char *cnv_config_spec(const struct cnv_config *config)
{
    size_t size = 1;
    size_t used = 0;
    char *spec = NULL;

    for (size_t i = 0; i < config->count; i++) {
        size += strlen(cnv_config_keys[i].path) + strlen(config->settings[i].text) + 2;
    }
    spec = cnv_array_new(size, 1);
    if (spec == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < config->count; i++) {
        if (is_shared(cnv_config_keys[i].path)) {
            used += (size_t) snprintf(spec + used,
                                      size - used,
                                      "%s=%s\n",
                                      cnv_config_keys[i].path,
                                      config->settings[i].text);
        }
    }
    return spec;
}

static enum cnv_status
overlay_line(struct cnv_config *config, const char *line, struct cnv_error *err)
{
    char path[CNV_VALUE_SIZE];

    path_of(line, path);
    if (strchr(line, '=') != NULL && (!is_shared(path) || cnv_param_find(path) == NULL)) {
        return CNV_OK;
    }
    return cnv_config_assign(config, line, "specification from the server", err);
}

enum cnv_status
cnv_config_overlay(struct cnv_config *config, const char *spec, struct cnv_error *err)
{
    struct cnv_config *result = cnv_config_copy(config);
    char *lines = cnv_string_new(spec);
    enum cnv_status status = CNV_OK;

    if (result == NULL || lines == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "a specification of %zu bytes", strlen(spec));
        goto done;
    }
    for (char *line = lines; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        char *next = *end == '\0' ? end : end + 1;

        *end = '\0';
        status = *line == '\0' ? CNV_OK : overlay_line(result, line, err);
        if (status != CNV_OK) {
            goto done;
        }
        line = next;
    }
    cnv_config_become(config, result);

done:
    cnv_free(lines);
    cnv_config_destroy(result);
    return status;
}
