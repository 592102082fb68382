/* The table, the store and the rules between keys; files and environment are in test_config_load.c.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/value.h"

static struct cnv_config *new_config(void)
{
    struct cnv_config *config = cnv_config_new();

    cr_assert_not_null(config);
    return config;
}

static void set(struct cnv_config *config, const char *path, const char *value)
{
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_set(config, path, value, "--set", &err), CNV_OK, "%s", err.text);
}

static void refuse(const char *path, const char *value)
{
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_set(config, path, value, "--set", &err),
                 CNV_E_INPUT,
                 "%s=%s was taken",
                 path,
                 value);
    cr_assert_not(cnv_config_is_set(config, path));
    cnv_config_destroy(config);
}

static void has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "\"%s\" does not hold \"%s\"", text, part);
}

Test(config, every_default_is_valid_and_every_row_complete, .timeout = 10)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        double number = 0.0;
        char allowed[CNV_ALLOWED_SIZE] = "";
        const char *slash = strchr(param->path, '/');

        cr_assert_not_null(slash, "%s", param->path);
        cr_assert_null(strchr(slash + 1, '/'), "%s", param->path);
        cr_assert_eq(strspn(param->path, "abcdefghijklmnopqrstuvwxyz0123456789/-"),
                     strlen(param->path));
        cr_assert(
            cnv_value_parse(param, param->initial, &number), "%s=%s", param->path, param->initial);
        cr_assert_not_null(param->unit);
        cr_assert_eq(param->text[strlen(param->text) - 1], '.', "%s", param->path);
        cr_assert_eq(param->type == CNV_PARAM_CHOICE, param->choices != NULL, "%s", param->path);
        cnv_value_allowed(param, allowed);
        cr_assert_gt(strlen(allowed), 3U, "%s", param->path);
        for (const struct cnv_param *other = cnv_config_keys; other != param; other++) {
            cr_assert_str_neq(other->path, param->path);
        }
    }
}

Test(config, defaults_fit_together, .timeout = 10)
{
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_check(config, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 1);
    cr_assert_eq(cnv_config_integer(config, "policy/local-steps"), 3);
    cr_assert_eq(cnv_config_integer(config, "limits/pinned"), 1024LL * 1024 * 1024);
    cr_assert_eq(cnv_config_real(config, "policy/delta"), 1e-2);
    cr_assert_eq(cnv_config_real(config, "stop/loss"), -INFINITY);
    cr_assert(cnv_config_boolean(config, "data/shuffle"));
    cr_assert_str_eq(cnv_config_text(config, "run/start"), "zeros");
    cr_assert_eq(cnv_config_fraction(config, "problem/l2", 10), 0.0);
    cnv_config_destroy(config);
}

Test(config, help_prints_each_key_once, .timeout = 10)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_config_help(out, NULL);
    cr_assert_eq(fclose(out), 0);
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        char line[CNV_VALUE_SIZE];
        const char *at = NULL;

        (void) snprintf(line, sizeof(line), "\n  %s=", param->path);
        at = param == cnv_config_keys ? text : strstr(text, line);
        cr_assert_not_null(at, "%s is not in the help", param->path);
        cr_assert_null(strstr(at + 1, line), "%s is in the help twice", param->path);
        has(text, param->text);
    }
    free(text);
}

Test(config, help_of_a_section_has_only_its_keys, .timeout = 10)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cnv_config_help(out, "sync");
    cr_assert_eq(fclose(out), 0);
    has(text, "sync/mode=barrier");
    has(text, "sync/rejoin=3\n");
    cr_assert_null(strstr(text, "\n  run/"));
    free(text);
}

Test(config, values_are_read_back_in_their_type, .timeout = 10)
{
    struct cnv_config *config = new_config();

    set(config, "run/seed", "9007199254740992");
    set(config, "solver/step", "1e-3");
    set(config, "policy/delta", "inf");
    set(config, "stop/loss", "-2.5E-1");
    set(config, "problem/l2", "1/n");
    set(config, "run/linger", "false");
    set(config, "solver/kind", "sgd");
    set(config, "run/name", "a name = with \"signs\"");
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 9007199254740992LL);
    cr_assert_eq(cnv_config_real(config, "solver/step"), 1e-3);
    cr_assert_eq(cnv_config_real(config, "policy/delta"), INFINITY);
    cr_assert_eq(cnv_config_real(config, "stop/loss"), -0.25);
    cr_assert_eq(cnv_config_fraction(config, "problem/l2", 32561), 1.0 / 32561.0);
    cr_assert_not(cnv_config_boolean(config, "run/linger"));
    cr_assert_str_eq(cnv_config_text(config, "solver/kind"), "sgd");
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "a name = with \"signs\"");
    cr_assert_str_eq(cnv_config_value(config, "problem/l2"), "1/n");
    cr_assert_str_eq(cnv_config_value(config, "run/linger"), "false");
    set(config, "problem/l2", "1e-4");
    cr_assert_eq(cnv_config_fraction(config, "problem/l2", 32561), 1e-4);
    cnv_config_destroy(config);
}

Test(config, values_out_of_form_or_range_are_refused, .timeout = 10)
{
    static const char *const integers[] = { "",
                                            " 4",
                                            "4 ",
                                            "4.0",
                                            "4e1",
                                            "0x4",
                                            "four",
                                            "+4",
                                            "-1",
                                            "0",
                                            "--4",
                                            "4,",
                                            "4\n",
                                            "inf",
                                            "nan",
                                            "100001",
                                            "99999999999999999999999" };
    static const char *const reals[] = { "",    " 1",     "1 ",    "1e", "1e+", "0x1p3", "nan",
                                         ".",   "e3",     "1.2.3", "1f", "inf", "-inf",  "infinity",
                                         "INF", "1e-400", "1e999", "0",  "-1",  "1,5",   "+-1" };
    static const char *const fractions[] = { "1/N", "2/n", "1/ n", "n", "-1", "1/2", "inf", "" };
    static const char *const booleans[] = { "", "1", "yes", "True", "true ", "TRUE", "on" };
    static const char *const choices[] = { "", "newto", "newtonn", "newton|giant", "Newton", "|" };

    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        refuse("run/agents", integers[i]);
    }
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        refuse("solver/step", reals[i]);
    }
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        refuse("problem/l2", fractions[i]);
    }
    for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
        refuse("log/json", booleans[i]);
    }
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        refuse("solver/kind", choices[i]);
    }
    refuse("run/name", "two\nlines");
    refuse("stop/loss", "inf");
    refuse("stop/gradient", "inf");
}

Test(config, a_text_may_have_255_bytes_not_more, .timeout = 10)
{
    struct cnv_config *config = new_config();
    char text[CNV_VALUE_SIZE + 1];

    memset(text, 'x', sizeof(text));
    text[CNV_VALUE_SIZE - 1] = '\0';
    set(config, "run/name", text);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), text);
    cnv_config_destroy(config);
    text[CNV_VALUE_SIZE - 1] = 'x';
    text[CNV_VALUE_SIZE] = '\0';
    refuse("run/name", text);
}

Test(config, a_refusal_names_origin_key_value_and_what_is_allowed, .timeout = 10)
{
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_set(config, "run/agents", "0", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: run/agents=0: allowed is a whole number from 1 to 100000");
    cr_assert_eq(cnv_config_set(config, "run/seed", "x", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: run/seed=x: allowed is a whole number of at least 0");
    cr_assert_eq(cnv_config_set(config, "policy/delta", "x", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: policy/delta=x: allowed is a number of at least 0, or inf");
    cr_assert_eq(cnv_config_set(config, "stop/loss", "x", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: stop/loss=x: allowed is a number, or -inf");
    cr_assert_eq(cnv_config_set(config, "solver/step", "0", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: solver/step=0: allowed is a number above 0");
    cr_assert_eq(cnv_config_set(config, "problem/l2", "x", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: problem/l2=x: allowed is 1/n, or a number of at least 0");
    cr_assert_eq(cnv_config_set(config, "run/name", "caf\xe9", "--set", &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "allowed is UTF-8 text of at most 255 bytes"));
    cr_assert_eq(cnv_config_set(config, "run/name", "caf\xc3\xa9", "--set", &err), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "log/json", "1", "--set", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "--set: log/json=1: allowed is true or false");
    cnv_config_destroy(config);
}

Test(config, an_unknown_key_names_the_nearest_known_one, .timeout = 10)
{
    static const char *const pairs[][2] = {
        { "run/round", "run/rounds" },           { "policy/local_steps", "policy/local-steps" },
        { "local-steps", "policy/local-steps" }, { "polcy/kind", "policy/kind" },
        { "heartbeat", "limits/heartbeat" },     { "problem/L2", "problem/l2" },
    };
    struct cnv_config *config = new_config();

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct cnv_error err = { 0 };
        char line[CNV_ERROR_TEXT_SIZE];

        (void) snprintf(line,
                        sizeof(line),
                        "run.zpl:3: %s=4: unknown key; the nearest known key is %s",
                        pairs[i][0],
                        pairs[i][1]);
        cr_assert_eq(cnv_config_set(config, pairs[i][0], "4", "run.zpl:3", &err), CNV_E_INPUT);
        cr_assert_str_eq(err.text, line);
    }
    cnv_config_destroy(config);
}

Test(config, a_long_or_dirty_value_still_makes_one_readable_line, .timeout = 10)
{
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };
    char value[4000];

    memset(value, '7', sizeof(value));
    value[3] = '\n';
    value[sizeof(value) - 1] = '\0';
    cr_assert_eq(cnv_config_set(config, "run/agents", value, "--set", &err), CNV_E_INPUT);
    cr_assert_null(strchr(err.text, '\n'));
    has(err.text, "777?777");
    has(err.text, "...: allowed is a whole number from 1 to 100000");
    cr_assert_eq(cnv_config_set(config, value, "1", "--set", &err), CNV_E_INPUT);
    has(err.text, "the nearest known key is ");
    cnv_config_destroy(config);
}

Test(config, assignments_are_split_at_the_first_equals_sign, .timeout = 10)
{
    static const char *const bad[] = { "run/seed", "", "=", "=3" };
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_assign(config, "run/name=a=b", "--set", &err), CNV_OK);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "a=b");
    cr_assert_eq(cnv_config_assign(config, "run/name=", "--set", &err), CNV_OK);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(cnv_config_assign(config, bad[i], "--set", &err), CNV_E_INPUT);
        has(err.text, "is not of the form section/key=value");
    }
    cnv_config_destroy(config);
}

Test(config, set_means_another_value_than_the_default, .timeout = 10)
{
    struct cnv_config *config = new_config();

    set(config, "policy/delta", "0.01");
    cr_assert_not(cnv_config_is_set(config, "policy/delta"), "1e-2 and 0.01 are the same");
    set(config, "policy/delta", "inf");
    cr_assert(cnv_config_is_set(config, "policy/delta"));
    set(config, "problem/l2", "1/n");
    cr_assert(cnv_config_is_set(config, "problem/l2"));
    set(config, "run/start", "zeros");
    cr_assert_not(cnv_config_is_set(config, "run/start"));
    set(config, "run/start", "ones");
    cr_assert(cnv_config_is_set(config, "run/start"));
    cnv_config_destroy(config);
}

Test(config, a_copy_does_not_follow_the_original, .timeout = 10)
{
    struct cnv_config *config = new_config();
    struct cnv_config *copy = NULL;

    set(config, "run/seed", "7");
    copy = cnv_config_copy(config);
    set(config, "run/seed", "8");
    cr_assert_eq(cnv_config_integer(copy, "run/seed"), 7);
    cnv_config_destroy(copy);
    cnv_config_destroy(config);
}

Test(config, the_specification_carries_what_a_run_shares_and_nothing_else, .timeout = 10)
{
    struct cnv_config *server = new_config();
    struct cnv_config *agent = new_config();
    struct cnv_error err = { 0 };
    char *spec = NULL;

    set(server, "run/seed", "42");
    set(server, "problem/l2", "1/n");
    set(server, "encoding/up", "f32");
    set(server, "data/shuffle", "false");
    set(server, "run/rounds", "7");
    set(server, "run/iterations", "4000");
    set(server, "listen/data", "tcp://10.0.0.1:5550");
    spec = cnv_config_spec(server);
    has(spec, "problem/l2=1/n\n");
    cr_assert_null(strstr(spec, "listen/"));
    cr_assert_null(strstr(spec, "run/rounds"));
    cr_assert_eq(cnv_config_overlay(agent, spec, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_config_integer(agent, "run/seed"), 42);
    cr_assert_eq(cnv_config_integer(agent, "run/iterations"), 4000); /* where a cosine ends */
    cr_assert_eq(cnv_config_fraction(agent, "problem/l2", 4), 0.25);
    cr_assert_str_eq(cnv_config_text(agent, "encoding/up"), "f32");
    cr_assert_not(cnv_config_boolean(agent, "data/shuffle"));
    cnv_free(spec);
    cnv_config_destroy(server);
    cnv_config_destroy(agent);
}

Test(config, an_overlay_skips_what_it_does_not_know_or_must_not_set, .timeout = 10)
{
    struct cnv_config *agent = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_overlay(
                     agent, "solver/of-tomorrow=3\nlisten/data=tcp://evil:1\n\nrun/seed=5", &err),
                 CNV_OK);
    cr_assert_eq(cnv_config_integer(agent, "run/seed"), 5);
    cr_assert_not(cnv_config_is_set(agent, "listen/data"));
    cnv_config_destroy(agent);
}

Test(config, a_bad_overlay_changes_nothing, .timeout = 10)
{
    struct cnv_config *agent = new_config();
    struct cnv_error err = { 0 };

    cr_assert_eq(cnv_config_overlay(agent, "run/seed=5\nproblem/intercept=magic\n", &err),
                 CNV_E_INPUT);
    cr_assert_str_eq(err.text,
                     "specification from the server: problem/intercept=magic: allowed is "
                     "true or false");
    cr_assert_eq(cnv_config_integer(agent, "run/seed"), 1);
    cr_assert_eq(cnv_config_overlay(agent, "run/seed", &err), CNV_E_INPUT);
    cnv_config_destroy(agent);
}

/* What is refused although each value is allowed, and what the message has to hold. */
struct misfit {
    const char *assignments[5];
    const char *message;
};

#define SEGA "solver/kind=isega", "optimiser/kind=sega"
#define RAW  "solver/kind=isega-raw", "optimiser/kind=sega-table", "encoding/up=blocks"
#define ONE  "solver/kind=savic", "optimiser/kind=scaled"
#define SAGA "solver/kind=isaga-shared", "optimiser/kind=saga-table", "encoding/up=blocks"

static const struct misfit misfits[] = {
    { { "limits/heartbeat=20" }, "limits/heartbeat=20 has to be less than limits/patience=20" },
    { { "sync/rejoin=21" }, "sync/rejoin=21 has to be at most limits/patience=20" },
    { { "limits/chunk=5000", "run/seed=1" }, NULL },
    { { "limits/chunk=5001" }, "limits/chunk=5001 has to be a multiple of 8" },
    { { "run/agents=1001" }, "run/agents=1001 has to be at most limits/members=1000" },
    { { "run/agents=4", "run/shards=3" }, "run/shards=3 has to be at least run/agents=4" },
    { { "run/agents=4", "run/shards=8" }, NULL },
    { { "policy/local-steps=1001" }, "has to be at most policy/max-local-steps=1000" },
    { { "problem/hidden=128" }, NULL },
    { { "problem/hidden=64,32" }, NULL },
    { { "problem/hidden=64,32,16" }, "problem/hidden=64,32,16: allowed are one or two numbers" },
    { { "problem/hidden=" }, "problem/hidden" },
    { { "problem/hidden=0" }, "problem/hidden" },
    { { "problem/hidden=65537" }, "problem/hidden" },
    { { "problem/kind=mlp" }, "problem/kind=mlp does not train from run/start=zeros" },
    { { "problem/kind=mlp", "run/start=ones" }, "does not train from run/start=ones" },
    { { "problem/kind=mlp", "run/start=random" }, NULL },
    { { "problem/kind=mlp", "run/start=old/model.npy" }, NULL },
    { { "run/start=gif" }, "run/start=gif: allowed is zeros, ones, random or FILE.npy" },
    { { "solver/decay-at=10" }, NULL },
    { { "solver/decay-at=10,20,30" }, NULL },
    { { "solver/decay-at=10,20," }, "solver/decay-at=10,20,: allowed are whole numbers" },
    { { "solver/decay-at=10,10" }, "solver/decay-at" },
    { { "solver/decay-at=0" }, "solver/decay-at" },
    { { "solver/decay-at=a" }, "solver/decay-at" },
    { { "solver/decay-at=,5" }, "solver/decay-at" },
    { { "solver/decay-at=5 6" }, "solver/decay-at" },
    { { "solver/kind=blocks", "encoding/up=blocks" }, NULL },
    { { "solver/kind=isega", "optimiser/kind=sega", "encoding/up=blocks" }, NULL },
    { { "solver/kind=isega" }, "isega and sega are two halves" },
    { { "solver/kind=isega-raw", "optimiser/kind=sega-table", "encoding/up=blocks" }, NULL },
    { { "solver/kind=isega-raw", "optimiser/kind=sega-table" }, "encoding/up=f64: with enc" },
    { { "solver/kind=isega-raw", "optimiser/kind=sega" }, "two halves" },
    { { "solver/kind=isega", "optimiser/kind=sega-table" }, "two halves" },
    { { "optimiser/kind=sega" }, "isega and sega are two halves" },
    { { "optimiser/l1=0.1" }, "optimiser/l1=0.1 does not go with optimiser/kind=none" },
    { { "solver/kind=isgd", "optimiser/kind=accelerated" },
      "optimiser/kind=accelerated needs solver/step-rule=given" },
    { { "solver/kind=isgd", "optimiser/kind=accelerated", "solver/step-rule=given" }, NULL },
    { { "sync/mode=async",
        "sync/damping=0",
        "optimiser/kind=async-isgd",
        "optimiser/l1=0.1",
        "solver/step-rule=given" },
      "and policy/local-steps=1, not newton and 3" },
    { { "solver/kind=isega", "optimiser/kind=sega", "optimiser/l1=0.1" },
      "needs solver/step-rule=given" },
    { { "solver/kind=isega", "optimiser/kind=sega", "optimiser/l1=0.1", "solver/step-rule=given" },
      NULL },
    { { SEGA, "sync/mode=async" }, "optimiser/kind=sega does not go with sync/mode=async" },
    { { SEGA, "policy/kind=adaptive-l" }, "does not go with policy/kind=adaptive-l" },
    { { SEGA, "aggregate/kind=median" }, "does not go with aggregate/kind=median" },
    { { SEGA, "policy/balance=time" }, "does not go with policy/balance=time" },
    { { SEGA, "sync/mode=quorum" }, "optimiser/kind=sega does not go with sync/mode=quorum" },
    { { SEGA, "encoding/up=q8" }, NULL },
    { { SEGA, "policy/kind=dynamic" }, "dynamic does not go with solver/kind=isega" },
    { { ONE }, NULL },
    { { ONE, "sync/mode=quorum", "aggregate/kind=median", "encoding/up=bf16" }, NULL },
    { { "optimiser/kind=scaled" }, "scaled needs solver/kind=savic, not newton" },
    { { "solver/kind=savic-local", "optimiser/kind=scaled" }, "savic, not savic-local" },
    { { ONE, "policy/kind=adaptive-l" }, "scaled does not go with policy/kind=adaptive-l" },
    { { ONE, "policy/balance=time" }, "scaled does not go with policy/balance=time" },
    { { ONE, "encoding/up=q8" }, "scaled does not go with encoding/up=q8" },
    { { ONE, "aggregate/kind=clipped-mean" }, "not go with aggregate/kind=clipped-mean" },
    { { ONE, "aggregate/kind=multi-krum" }, "not go with aggregate/kind=multi-krum" },
    { { ONE, "policy/kind=dynamic" }, "dynamic does not go with solver/kind=savic" },
    { { ONE, "sync/mode=async" }, "async does not go with solver/kind=savic" },
    { { "solver/kind=isgd", "policy/kind=dynamic" }, "dynamic does not go with solver/kind=isgd" },
    { { RAW, "sync/mode=async" }, "optimiser/kind=sega-table does not go with sync/mode=async" },
    { { RAW, "sync/mode=quorum" }, NULL },
    { { RAW, "aggregate/kind=median" }, "does not go with aggregate/kind=median" },
    { { RAW, "policy/balance=time" }, "does not go with policy/balance=time" },
    { { RAW, "run/shards=3" }, "does not go with run/shards=3" },
    { { RAW, "run/shards=1" }, NULL },
    { { RAW, "limits/samples=3" }, "does not go with limits/samples=3" },
    { { "solver/kind=isaga-shared", "optimiser/kind=saga-table", "encoding/up=blocks" }, NULL },
    { { SAGA, "run/agents=2" }, "does not go with data/shared=false" },
    { { SAGA, "run/agents=2", "data/shared=true" }, NULL },
    { { SAGA, "sync/mode=async" }, "optimiser/kind=saga-table does not go with sync/mode=async" },
    { { "encoding/up=blocks" }, "encoding/up=blocks needs a solver that draws blocks" },
    { { "solver/kind=blocks", "encoding/up=blocks", "policy/kind=adaptive-l" }, "do not go" },
    { { "security/allow=names.txt" }, "has no effect without security/certificate" },
    { { "listen/data=tcp://*:5550" }, "beyond loopback" },
    { { "listen/data=tcp://*:5550", "security/insecure=true" }, NULL },
    { { "listen/data=tcp://*:5550", "security/certificate=server.key" }, NULL },
    { { "listen/data=tcp://192.168.0.7:5550" }, "beyond loopback" },
    { { "listen/data=tcp://[2001:db8::1]:5550" }, "beyond loopback" },
    { { "listen/bulk=tcp://0.0.0.0:5551" }, "listen/bulk=tcp://0.0.0.0:5551 is beyond loopback" },
    { { "listen/control=tcp://myhost:9" }, "listen/control=tcp://myhost:9 is beyond loopback" },
    { { "listen/data=tcp://[::1]:5550" }, NULL },
    { { "listen/data=tcp://[fe80::1%eth0.7]:5550", "security/insecure=true" }, NULL },
    { { "listen/data=tcp://[fe80::1%]:5550", "security/insecure=true" }, "listen/data" },
    { { "listen/data=tcp://[%eth0]:5550", "security/insecure=true" }, "listen/data" },
    { { "listen/data=tcp://[::eth0]:5550", "security/insecure=true" }, "listen/data" },
    { { "listen/data=tcp://localhost:*" }, NULL },
    { { "listen/data=tcp://127.0.0.1:*", "listen/bulk=tcp://127.0.0.1:*" }, NULL },
    { { "listen/data=ipc:///tmp/convene" }, NULL },
    { { "listen/data=tcp://127.0.0.1:65535" }, "leaves no next port" },
    { { "listen/bulk=tcp://127.0.0.1:5550" }, "is the same as listen/data" },
    { { "listen/control=tcp://127.0.0.1:5550" }, "is the same as listen/data" },
    { { "listen/data=127.0.0.1:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://127.0.0.1" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://127.0.0.1:" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://127.0.0.1:0" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://127.0.0.1:65536" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://127.0.0.1:55x" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://a b:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://[::1:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=tcp://::1:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=udp://127.0.0.1:5550" }, "allowed is tcp://HOST:PORT" },
    { { "listen/data=ipc://" }, "allowed is tcp://HOST:PORT" },
    { { "listen/advertise=tcp://host.example.org:5550" }, NULL },
    { { "listen/advertise=tcp://*:5550" }, "nobody can connect to a wildcard" },
    { { "listen/advertise=tcp://host:*" }, "nobody can connect to a wildcard" },
    { { "listen/advertise=host" }, "listen/advertise=host: allowed is" },
};

/* What run/rounds and policy/local-steps are, with these. */
static const struct {
    const char *assignments[3];
    int64_t rounds;
    int64_t local_steps;
} settled[] = {
    { { NULL }, 100, 3 },
    { { "run/iterations=5" }, 0, 3 },
    { { "run/seconds=5" }, 0, 3 },
    { { "run/rounds=100", "run/iterations=5" }, 100, 3 },
    { { "run/rounds=7", "run/seconds=5" }, 7, 3 },
    { { "solver/kind=isega" }, 100, 1 },
    { { "solver/kind=blocks", "policy/local-steps=3" }, 100, 3 },
};

Test(config, defaults_follow_from_other_keys, .timeout = 10)
{
    for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++) {
        struct cnv_config *config = new_config();

        for (size_t j = 0; j < 3 && settled[i].assignments[j] != NULL; j++) {
            cr_assert_eq(cnv_config_assign(config, settled[i].assignments[j], "--set", NULL),
                         CNV_OK);
        }
        cnv_config_settle(config);
        cr_assert_eq(cnv_config_integer(config, "run/rounds"), settled[i].rounds, "%zu", i);
        cr_assert_eq(
            cnv_config_integer(config, "policy/local-steps"), settled[i].local_steps, "%zu", i);
        cnv_config_destroy(config);
    }
}

/* A daemon's next run, of another kind. */
Test(config, defaults_follow_again, .timeout = 10)
{
    struct cnv_config *config = new_config();

    cr_assert_eq(cnv_config_assign(config, "run/iterations=5", "--set", NULL), CNV_OK);
    cnv_config_settle(config);
    cr_assert_eq(cnv_config_assign(config, "run/iterations=0", "--set", NULL), CNV_OK);
    cnv_config_settle(config);
    cr_assert_eq(cnv_config_integer(config, "run/rounds"), 100);
    cnv_config_destroy(config);
}

Test(config, keys_that_do_not_fit_together_are_refused, .timeout = 10)
{
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        struct cnv_config *config = new_config();
        struct cnv_error err = { 0 };
        enum cnv_status status = CNV_OK;

        for (size_t j = 0; j < 5 && misfits[i].assignments[j] != NULL; j++) {
            cr_assert_eq(cnv_config_assign(config, misfits[i].assignments[j], "--set", &err),
                         CNV_OK,
                         "%s",
                         err.text);
        }
        status = cnv_config_check(config, &err);
        if (misfits[i].message == NULL) {
            cr_assert_eq(status, CNV_OK, "%s: %s", misfits[i].assignments[0], err.text);
        } else {
            cr_assert_eq(status, CNV_E_INPUT, "%s was taken", misfits[i].assignments[0]);
            has(err.text, misfits[i].message);
        }
        cnv_config_destroy(config);
    }
}

Test(config, running_out_of_memory_is_an_error_and_nothing_else, .timeout = 10)
{
    struct cnv_config *config = new_config();
    struct cnv_error err = { 0 };

    cnv_mem_fail_after(1);
    cr_assert_null(cnv_config_new());
    cr_assert_null(cnv_config_copy(config));
    cr_assert_null(cnv_config_spec(config));
    cr_assert_eq(cnv_config_overlay(config, "run/seed=3\n", &err), CNV_E_NOMEM);
    cnv_mem_fail_after(0);
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 1);
    cnv_config_destroy(config);
}
