/*
 * test_methods.c - what the methods of the six registries say of themselves: a sentence, where they
 * come from, and which settings they read, neither more nor less.
 *
 * The linker sends what a method asks of the configuration through the functions named __wrap_
 * below (see meson.build), which note it. A setting may be read only where another one asks for it,
 * so each method is set up many times, with one setting changed at a time.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/value.h"
#include "encodings/encoding.h"
#include "fit.h"
#include "optimiser/optimiser.h"
#include "policy/policy.h"
#include "problem/problem.h"
#include "solver/solver.h"
#include "synthetic.h"

enum { KEYS_MAX = 512, DIMENSION = 8, ROWS = 40 };

/* --- What is read --------------------------------------------------------------------------- */

static bool was_read[KEYS_MAX]; /* in the order of cnv_config_keys */

static void note(const char *path)
{
    was_read[cnv_param_find(path) - cnv_config_keys] = true;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
#define NOTED(type, function)                                                                      \
    type __real_##function(const struct cnv_config *config, const char *path);                     \
    type __wrap_##function(const struct cnv_config *config, const char *path);                     \
    type __wrap_##function(const struct cnv_config *config, const char *path)                      \
    {                                                                                              \
        note(path);                                                                                \
        return __real_##function(config, path);                                                    \
    }

NOTED(int64_t, cnv_config_integer)
NOTED(double, cnv_config_real)
NOTED(bool, cnv_config_boolean)
NOTED(const char *, cnv_config_text)

double __real_cnv_config_fraction(const struct cnv_config *config, const char *path, uint64_t n);
double __wrap_cnv_config_fraction(const struct cnv_config *config, const char *path, uint64_t n);
double __wrap_cnv_config_fraction(const struct cnv_config *config, const char *path, uint64_t n)
{
    note(path);
    return __real_cnv_config_fraction(config, path, n);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- The six tables ------------------------------------------------------------------------- */

/* What each of them begins with. */
struct method {
    const char *name;
    const char *text;
    const char *paper;
    const char *keys;
};

static void policy_init(const void *method, const struct cnv_config *config)
{
    const struct cnv_policy_ops *ops = method;
    void *state = cnv_array_new(1, ops->state_size);

    (void) ops->init(state, config, NULL);
    if (ops->fini != NULL) {
        ops->fini(state);
    }
    cnv_free(state);
}

static void aggregate_init(const void *method, const struct cnv_config *config)
{
    const struct cnv_aggregate_ops *ops = method;
    void *state = cnv_array_new(1, ops->state_size);

    (void) ops->init(state, config, NULL);
    if (ops->fini != NULL) {
        ops->fini(state);
    }
    cnv_free(state);
}

static void optimiser_init(const void *method, const struct cnv_config *config)
{
    const struct cnv_optimiser_ops *ops = method;
    void *state = cnv_array_new(1, ops->state_size);

    struct cnv_table_setup setup = {
        .config = config, .dimension = DIMENSION, .slices = 1, .rows = ROWS
    };
    if (ops->init(state, config, DIMENSION, NULL) == CNV_OK && ops->table != NULL) {
        (void) ops->table->reserve(state, &setup, NULL);
    }
    if (ops->fini != NULL) {
        ops->fini(state);
    }
    cnv_free(state);
}

static struct cnv_problem *
problem_of(const char *name, const struct cnv_config *config, struct cnv_shard *shard)
{
    static const double labels[] = { 1, 2, 3, 4 };
    size_t classes = fit_classes(cnv_problem_find(name));
    struct cnv_problem *problem = NULL;

    for (size_t i = 0; classes > 0 && i < shard->rows; i++) {
        shard->labels[i] = labels[i % classes];
    }
    memset(was_read, 0, sizeof(was_read)); /* fit_classes has made problems of its own */
    struct cnv_problem_setup setup = { .config = config,
                                       .shard = shard,
                                       .features = DIMENSION,
                                       .labels = classes > 0 ? labels : NULL,
                                       .classes = classes,
                                       .total_rows = ROWS };
    return cnv_problem_new(name, &setup, &problem, NULL) == CNV_OK ? problem : NULL;
}

static struct cnv_shard *shard_new(void)
{
    return synthetic_shard(
        &(struct synthetic){ .rows = ROWS, .features = DIMENSION, .density = 1, .seed = 1 });
}

static void problem_init(const void *method, const struct cnv_config *config)
{
    const struct cnv_problem_ops *ops = method;
    struct cnv_shard *shard = shard_new();

    cnv_problem_destroy(problem_of(ops->name, config, shard));
    synthetic_destroy(shard);
}

static void solver_init(const void *method, const struct cnv_config *config)
{
    const struct cnv_solver_ops *ops = method;
    struct cnv_config *plain = cnv_config_new();
    struct cnv_shard *shard = shard_new();
    struct cnv_problem *problem = problem_of("logistic", plain, shard);
    struct cnv_solver_setup setup = { .config = config, .problem = problem, .shard = 1 };
    void *state = cnv_array_new(1, ops->state_size);

    memset(was_read, 0, sizeof(was_read));
    (void) ops->init(state, &setup, NULL);
    ops->fini(state);
    cnv_free(state);
    cnv_problem_destroy(problem);
    synthetic_destroy(shard);
    cnv_config_destroy(plain);
}

#define METHOD_AT(function, find)                                                                  \
    static const void *function(size_t i)                                                          \
    {                                                                                              \
        return find(i);                                                                            \
    }

METHOD_AT(policy_at, cnv_policy_at)
METHOD_AT(solver_at, cnv_solver_at)
METHOD_AT(problem_at, cnv_problem_at)
METHOD_AT(aggregate_at, cnv_aggregate_at)
METHOD_AT(optimiser_at, cnv_optimiser_at)
METHOD_AT(encoding_at, cnv_encoding_at)

/* Whether the key offers the method. Scaled contributions are the solver's choice alone. */
static bool is_offered(const void *method)
{
    (void) method;
    return true;
}

static bool is_offered_up(const void *method)
{
    return !((const struct cnv_encoding_ops *) method)->is_relative;
}

static bool is_offered_down(const void *method)
{
    return cnv_encoding_is_dense(method);
}

static const struct kind {
    const char *key;
    const void *(*at)(size_t i);
    bool (*is_offered)(const void *method);
    void (*init)(const void *method, const struct cnv_config *config); /* NULL: reads nothing */
} kinds[] = {
    { "policy/kind", policy_at, is_offered, policy_init },
    { "solver/kind", solver_at, is_offered, solver_init },
    { "problem/kind", problem_at, is_offered, problem_init },
    { "aggregate/kind", aggregate_at, is_offered, aggregate_init },
    { "optimiser/kind", optimiser_at, is_offered, optimiser_init },
    { "encoding/up", encoding_at, is_offered_up, NULL },
    { "encoding/down", encoding_at, is_offered_down, NULL },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- Words ---------------------------------------------------------------------------------- */

/* How often the word stands in a list of words with that character between them. */
static size_t count_word(const char *list, const char *word, char between)
{
    const char separator[2] = { between, '\0' };
    size_t count = 0;

    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, separator);

        count += len == strlen(word) && memcmp(at, word, len) == 0;
        at += len + (at[len] == between);
    }
    return count;
}

static const char *keys_of(const struct method *method)
{
    return method->keys == NULL ? "" : method->keys;
}

Test(methods, say_what_they_are, .timeout = 10)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].at(i) != NULL; i++) {
            const struct method *method = kinds[k].at(i);

            cr_assert_gt(strlen(method->text), 0, "%s", method->name);
            cr_assert_null(strchr(method->text, '\n'), "%s", method->name);
            cr_assert(method->paper == NULL || strchr(method->paper, '\n') == NULL);
        }
    }
}

Test(methods, are_those_that_the_keys_allow, .timeout = 10)
{
    for (size_t k = 0; k < KINDS; k++) {
        const char *choices = cnv_param_find(kinds[k].key)->choices;
        size_t offered = 1;

        for (const char *at = strchr(choices, '|'); at != NULL; at = strchr(at + 1, '|')) {
            offered++;
        }
        offered -= count_word(choices, "plugin:NAME", '|');
        for (size_t i = 0; kinds[k].at(i) != NULL; i++) {
            const struct method *method = kinds[k].at(i);

            if (kinds[k].is_offered(method)) {
                cr_assert_eq(count_word(choices, method->name, '|'),
                             1,
                             "%s does not allow %s",
                             kinds[k].key,
                             method->name);
                offered--;
            }
        }
        cr_assert_eq(offered, 0, "%s allows what there is not", kinds[k].key);
    }
}

/* --- Keys ----------------------------------------------------------------------------------- */

/* Sets the method up with that setting, if it may be so, and gathers what it reads. */
static void read_with(const struct kind *kind,
                      const struct method *method,
                      const char *path,
                      const char *value,
                      bool *ret_read)
{
    struct cnv_config *config = cnv_config_new();

    fit_settings(config, method->name);
    if (path == NULL || cnv_config_set(config, path, value, "test", NULL) == CNV_OK) {
        memset(was_read, 0, sizeof(was_read));
        kind->init(method, config);
        for (size_t i = 0; i < KEYS_MAX; i++) {
            ret_read[i] = ret_read[i] || was_read[i];
        }
    }
    cnv_config_destroy(config);
}

static void read_with_each(const struct kind *kind, const struct method *method, bool *ret_read)
{
    read_with(kind, method, NULL, NULL, ret_read);
    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        char choice[CNV_VALUE_SIZE];

        if (key->type != CNV_PARAM_CHOICE) {
            read_with(kind, method, key->path, key->type == CNV_PARAM_TEXT ? "" : "1", ret_read);
            continue;
        }
        for (const char *at = key->choices; *at != '\0'; at += *at == '|') {
            size_t len = strcspn(at, "|");

            (void) snprintf(choice, sizeof(choice), "%.*s", (int) len, at);
            read_with(kind, method, key->path, choice, ret_read);
            at += len;
        }
    }
}

Test(methods, list_the_keys_they_read, .timeout = 60)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].init != NULL && kinds[k].at(i) != NULL; i++) {
            const struct method *method = kinds[k].at(i);
            bool read[KEYS_MAX] = { false };

            read_with_each(&kinds[k], method, read);
            for (size_t j = 0; cnv_config_keys[j].path != NULL; j++) {
                const char *path = cnv_config_keys[j].path;
                bool is_listed = count_word(keys_of(method), path, ' ') > 0;

                cr_expect(is_listed || !read[j],
                          "%s %s reads %s, which its keys do not list",
                          kinds[k].key,
                          method->name,
                          path);
                cr_expect(!is_listed || read[j],
                          "%s %s lists %s, which it does not read",
                          kinds[k].key,
                          method->name,
                          path);
            }
        }
    }
}

Test(methods, list_keys_that_there_are_and_once, .timeout = 10)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; kinds[k].at(i) != NULL; i++) {
            const struct method *method = kinds[k].at(i);
            size_t words = 0;
            size_t known = 0;

            for (const char *at = keys_of(method); *at != '\0'; at += *at == ' ') {
                words++;
                at += strcspn(at, " ");
            }
            for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
                size_t count = count_word(keys_of(method), key->path, ' ');

                cr_assert_leq(count, 1, "%s lists %s twice", method->name, key->path);
                known += count;
            }
            cr_assert_eq(known, words, "%s lists what is no key: %s", method->name, method->keys);
        }
    }
}
