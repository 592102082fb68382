/*
 * Shared objects that are refused, each for its one fault and with a line that names it, and a
 * sound one that is taken. CONVENE_TEST_OBJECTS is where they were built.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "plugin/load.h"
#include "policy/policy.h"

enum { PATH_SIZE = 512 };

static const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS] = {
    [CNV_PLUGIN_POLICY] = cnv_policy_adopt,
};

static void path_of(const char *name, char path[PATH_SIZE])
{
    (void) snprintf(path, PATH_SIZE, "%s/plugin_%s.so", getenv("CONVENE_TEST_OBJECTS"), name);
}

static void expect_refusal(const char *name, const char *why)
{
    char path[PATH_SIZE];
    struct cnv_error err = { .text = "" };
    const struct cnv_plugin *plugin = NULL;

    path_of(name, path);
    cr_assert_eq(cnv_plugin_load(path, adopt, &plugin, &err), CNV_E_INPUT, "%s", name);
    cr_assert_null(plugin);
    cr_assert_not_null(strstr(err.text, why), "%s: %s", name, err.text);
    cr_assert_null(strchr(err.text, '\n'));
    cr_assert_null(cnv_policy_find("plugin:twice"), "%s was taken all the same", name);
}

Test(plugins, are_refused_by_the_fault_they_have, .timeout = 20)
{
    expect_refusal("symbol", "not a plug-in of convene: it exports no table cnv_plugin");
    expect_refusal("magic", "not a plug-in of convene");
    expect_refusal("version", "made for version 8 of plug-ins, this convene has version 2");
    expect_refusal("kind", "a plug-in of an unknown kind, 77");
    expect_refusal("size", "its struct cnv_round_view has ");
    expect_refusal("name", "policy name \"Twice!\": allowed are 1 to 16 lower-case letters");
    expect_refusal("text", "policy twice has no text");
    expect_refusal("function", "policy twice has no function decide");
    expect_refusal("save", "policy twice has no function load");
    expect_refusal("option", "option share: expected a name");
    expect_refusal("unresolved", "undefined symbol: cnv_function_of_another_version");
    expect_refusal("missing", "cannot open shared object file");
}

Test(plugins, what_is_no_shared_object_is_named, .timeout = 10)
{
    struct cnv_error err = { .text = "" };

    cr_assert_eq(cnv_plugin_load("/etc/passwd", adopt, NULL, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "/etc/passwd"), "%s", err.text);
    cr_assert_eq(cnv_plugin_load("", adopt, NULL, &err), CNV_E_INPUT);
    cr_assert_eq(cnv_plugin_load("libm.so.6", adopt, NULL, &err), CNV_E_INPUT);
    cr_assert_not_null(
        strstr(err.text, "No such file"), "not from where libraries are: %s", err.text);
}

Test(plugins, a_sound_one_is_known_by_its_name_once, .timeout = 10)
{
    char path[PATH_SIZE];
    struct cnv_error err = { .text = "" };
    const struct cnv_plugin *plugin = NULL;

    path_of("sound", path);
    cr_assert_eq(cnv_plugin_load(path, adopt, &plugin, &err), CNV_OK, "%s", err.text);
    cr_assert_not_null(plugin);
    const struct cnv_policy_ops *ops = cnv_policy_find("plugin:twice");
    cr_assert_not_null(ops);
    cr_assert_str_eq(ops->name, "plugin:twice");
    cr_assert_str_eq(ops->paper, "");
    cr_assert_eq(ops->save(NULL, NULL, 0), 0);
    cr_assert_eq(ops->load(NULL, NULL, 0, NULL), CNV_OK);
    cr_assert_eq(ops->load(NULL, NULL, 1, &err), CNV_E_SIZE);
    cr_assert_eq(cnv_plugin_load(path, adopt, NULL, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "there is a policy plugin:twice already"), "%s", err.text);
}

Test(plugins, a_kind_this_program_has_no_use_for_is_sent_on, .timeout = 10)
{
    static const cnv_plugin_adopt_fn none[CNV_PLUGIN_KINDS] = { NULL };
    char path[PATH_SIZE];
    struct cnv_error err = { .text = "" };

    path_of("sound", path);
    cr_assert_eq(cnv_plugin_load(path, none, NULL, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "is a policy: it belongs to the server"), "%s", err.text);
}

Test(plugins, a_list_of_files_is_loaded_in_order, .timeout = 10)
{
    char path[PATH_SIZE];
    char list[2 * PATH_SIZE];
    struct cnv_error err = { .text = "" };

    path_of("sound", path);
    (void) snprintf(list, sizeof(list), "%s,/nowhere/x.so", path);
    cr_assert_eq(cnv_plugin_load_list("", adopt, &err), CNV_OK);
    cr_assert_eq(cnv_plugin_load_list(list, adopt, &err), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "/nowhere/x.so"), "%s", err.text);
    cr_assert_not_null(cnv_policy_find("plugin:twice"));
}

/* --- Options ------------------------------------------------------------------------------ */

static const struct cnv_param options[] = {
    { "share", CNV_PARAM_REAL, "", 0, 1, NULL, "0.5", "A number." },
    { "rounds", CNV_PARAM_INTEGER, "rounds", 1, 9, NULL, "3", "A whole number." },
    { "mode", CNV_PARAM_CHOICE, "", 0, 0, "slow|fast", "fast", "A choice." },
    { "stops", CNV_PARAM_BOOLEAN, "", 0, 0, NULL, "false", "A boolean." },
    { .path = NULL },
};

static enum cnv_status
read_options(const char *text, const struct cnv_param *table, double *values, struct cnv_error *err)
{
    struct cnv_config *config = cnv_config_new();

    cr_assert_eq(cnv_config_set(config, "policy/options", text, "test", NULL), CNV_OK);
    enum cnv_status status = cnv_options_read(config, "policy/options", table, values, err);
    cnv_config_destroy(config);
    return status;
}

Test(plugins, options_have_defaults_and_take_what_is_given, .timeout = 10)
{
    double values[4] = { 9, 9, 9, 9 };

    cr_assert_eq(read_options("", options, values, NULL), CNV_OK);
    cr_assert(values[0] == 0.5 && values[1] == 3.0 && values[2] == 1.0 && values[3] == 0.0);
    cr_assert_eq(read_options("stops=true,mode=slow,share=1e-2", options, values, NULL), CNV_OK);
    cr_assert(values[0] == 0.01 && values[1] == 3.0 && values[2] == 0.0 && values[3] == 1.0);
    cr_assert_eq(read_options("", NULL, NULL, NULL), CNV_OK);
}

static void expect_wrong(const char *text, const struct cnv_param *table, const char *line)
{
    double values[4] = { 9, 9, 9, 9 };
    struct cnv_error err = { .text = "" };

    cr_assert_eq(read_options(text, table, values, &err), CNV_E_INPUT, "%s", text);
    cr_assert_str_eq(err.text, line);
    cr_assert_eq(values[0], 9, "untouched on failure");
}

Test(plugins, options_that_are_wrong_are_named, .timeout = 10)
{
    expect_wrong("shares=1",
                 options,
                 "policy/options: there is no option \"shares\": there are share, rounds, mode, "
                 "stops");
    expect_wrong("shares=1", NULL, "policy/options: there is no option \"shares\": there are none");
    expect_wrong("share", options, "policy/options: \"share\" is not of the form name=value");
    expect_wrong("share=1,,", options, "policy/options: \"\" is not of the form name=value");
    expect_wrong(
        "rounds=1.5", options, "policy/options: rounds=1.5: allowed is a whole number from 1 to 9");
    expect_wrong("mode=fas", options, "policy/options: mode=fas: allowed is slow or fast");
}

Test(plugins, kinds_in_the_settings_have_names_that_plug_ins_can_have, .timeout = 10)
{
    struct cnv_config *config = cnv_config_new();
    struct cnv_error err = { .text = "" };

    cr_assert_eq(cnv_config_set(config, "policy/kind", "plugin:a-1", "test", &err), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "solver/kind", "plugin:b", "test", &err), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "problem/kind", "plugin:c", "test", &err), CNV_OK);
    cr_assert_eq(cnv_config_set(config, "solver/options", "x=1", "test", &err), CNV_OK);
    cr_assert_eq(cnv_config_check(config, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_config_set(config, "solver/kind", "plugin:NAME", "test", &err), CNV_E_INPUT);
    cr_assert_eq(cnv_config_set(config, "solver/kind", "plugin:", "test", &err), CNV_E_INPUT);
    cr_assert_eq(cnv_config_set(config, "solver/kind", "plugin:12345678901234567", "test", &err),
                 CNV_E_INPUT);
    cr_assert_eq(cnv_config_set(config, "solver/kind", "sgd", "test", &err), CNV_OK);
    cr_assert_eq(cnv_config_check(config, &err), CNV_E_INPUT);
    cr_assert_str_eq(
        err.text, "solver/options=x=1 is for what comes from a plug-in, solver/kind=sgd does not");
    cnv_config_destroy(config);
}
