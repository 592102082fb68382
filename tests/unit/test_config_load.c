/* Settings from files and from the environment. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static char path[] = "/tmp/convene-test-config-XXXXXX";
static struct cnv_config *config;
static struct cnv_error err;

static void setup(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(close(fd), 0);
    config = cnv_config_new();
    cr_assert_not_null(config);
}

static void teardown(void)
{
    (void) unlink(path);
    cnv_config_destroy(config);
}

TestSuite(config_load, .init = setup, .fini = teardown, .timeout = 10);

static enum cnv_status load_bytes(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
    return cnv_config_load(config, path, &err);
}

static enum cnv_status load(const char *text)
{
    return load_bytes(text, strlen(text));
}

Test(config_load, a_file_in_sections_is_read)
{
    cr_assert_eq(load("# a comment\n"
                      "run\n"
                      "    name = \"first # run\"   # not a comment inside quotes\n"
                      "    seed = 7\n"
                      "\n"
                      "  # indented oddly\n"
                      "policy   # a section\n"
                      "    kind = adaptive-l # with a comment\n"
                      "    local-steps=5\n"
                      "listen/data = tcp://127.0.0.1:6000\n"
                      "solver\n"
                      "stop\n"
                      "    loss = '-inf'\n"
                      "run/rounds = 3"),
                 CNV_OK,
                 "%s",
                 err.text);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "first # run");
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 7);
    cr_assert_str_eq(cnv_config_text(config, "policy/kind"), "adaptive-l");
    cr_assert_eq(cnv_config_integer(config, "policy/local-steps"), 5);
    cr_assert_str_eq(cnv_config_text(config, "listen/data"), "tcp://127.0.0.1:6000");
    cr_assert_eq(cnv_config_integer(config, "run/rounds"), 3);
}

Test(config_load, line_ends_of_other_systems_and_empty_files_are_read)
{
    cr_assert_eq(load("run\r\n    seed = 9\r\n\r\n"), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 9);
    cr_assert_eq(load(""), CNV_OK, "%s", err.text);
    cr_assert_eq(load("\n\n# nothing\n"), CNV_OK, "%s", err.text);
    cr_assert_eq(load("run\n    name = \n"), CNV_OK, "%s", err.text);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "");
}

static const char *const bad_files[][2] = {
    { "run\n    seed = x\n", ":2: run/seed=x: allowed is a whole number of at least 0" },
    { "\n# c\nrun\n\n    rond = 3\n",
      ":5: run/rond=3: unknown key; the nearest known key is run/" },
    { "run\n    seed = 1\nspeed = 3\n",
      ":3: speed=3: unknown key; the nearest known key is run/seed" },
    { "nosuch\n", ":1: nosuch=: unknown key" },
    { "run\n    seed\n        deep = 1\n", ":3: run/seed/deep=1: unknown key" },
    { "run = 3\n    seed = 1\n", ":1: run=3: unknown key" },
    { "run\n    seed\n", ":2: run/seed=: allowed is" },
    { "run\n    seed = 1\n    name = a\n    seed = 2\n",
      ":4: run/seed was already given on line 2" },
    { "run/seed = 1\nrun\n    seed = 2\n", ":3: run/seed was already given on line 1" },
    { "run\n  seed = 1\n",
      ":2: expected an indent of 4 blanks for each level, found \"seed = 1\"" },
    { "run\n        seed = 1\n", ":2: expected an indent of 4 blanks" },
    { "    seed = 1\n", ":1: expected an indent of 4 blanks" },
    { "run\n\tseed = 1\n", ":2: expected a key, a section or a comment, found \"seed = 1\"" },
    { "run\n    name = \"open\n", ":2: the closing quote is missing" },
    { "run\n    name = \"a\" b\n", ":2: expected the end of the line or a comment" },
    { "run 3\n", ":1: expected the end of the line or a comment" },
    { "run\n    seed = # nothing\n", ":2: expected a value before the comment" },
    { "/run/seed = 1\n", ":1: '/' may not stand at the start or end of a key" },
    { "run/ = 1\n", ":1: '/' may not stand at the start or end of a key" },
    { "= 3\n", ":1: expected a key, a section or a comment" },
    { "{\"run\": 3}\n", ":1: expected a key, a section or a comment" },
};

Test(config_load, a_bad_file_is_refused_with_its_line_and_changes_nothing)
{
    for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
        char start[CNV_ERROR_TEXT_SIZE];

        (void) snprintf(start, sizeof(start), "%s%s", path, bad_files[i][1]);
        cr_assert_eq(load(bad_files[i][0]), CNV_E_INPUT, "taken: %s", bad_files[i][0]);
        cr_assert_eq(strncmp(err.text, start, strlen(start)),
                     0,
                     "\"%s\" instead of \"%s\"",
                     err.text,
                     start);
        cr_assert_eq(cnv_config_integer(config, "run/seed"), 1);
    }
}

Test(config_load, a_line_longer_than_a_kibibyte_is_refused)
{
    char text[3000];

    (void) snprintf(text, sizeof(text), "run/name = %02000d\nrun/seed = 3\n", 0);
    cr_assert_eq(load(text), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, ":1: longer than 1000 bytes"), "%s", err.text);
}

Test(config_load, a_file_that_is_no_text_is_refused)
{
    cr_assert_eq(load_bytes("run\n\0x", 6), CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, "holds a zero byte"), "%s", err.text);
}

Test(config_load, a_file_that_cannot_be_read_is_named)
{
    cr_assert_eq(cnv_config_load(config, "/nonexistent/run.zpl", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "/nonexistent/run.zpl: No such file or directory");
    cr_assert_eq(cnv_config_load(config, "/tmp", &err), CNV_E_INPUT);
    cr_assert_str_eq(err.text, "/tmp: Is a directory");
    cr_assert_eq(cnv_config_load(config, "/nonexistent/run.zpl", NULL), CNV_E_INPUT);
}

static char warned[3][64];
static size_t warnings;

static void count_warning(const char *name)
{
    cr_assert_lt(warnings, 3U);
    (void) snprintf(warned[warnings++], sizeof(warned[0]), "%s", name);
}

/* Copies, since the environment of a process may be written to. */
static enum cnv_status read_environment(const char *const *environment)
{
    static const char *const ignored[] = { "CONVENE_CONTROL", NULL };
    char *copies[8] = { NULL };
    enum cnv_status status = CNV_OK;

    for (size_t i = 0; environment[i] != NULL; i++) {
        cr_assert_lt(i, 7U);
        copies[i] = strdup(environment[i]);
    }
    status = cnv_config_environment(config, copies, ignored, count_warning, &err);
    for (size_t i = 0; copies[i] != NULL; i++) {
        free(copies[i]);
    }
    return status;
}

Test(config_load, variables_set_keys)
{
    const char *const environment[] = { "HOME=/",
                                        "CONVENE_POLICY_LOCAL_STEPS=4",
                                        "CONVENE_RUN_NAME=a=b",
                                        "CONVENE_LOG_JSON=true",
                                        NULL };

    cr_assert_eq(read_environment(environment), CNV_OK, "%s", err.text);
    cr_assert_eq(cnv_config_integer(config, "policy/local-steps"), 4);
    cr_assert_str_eq(cnv_config_text(config, "run/name"), "a=b");
    cr_assert(cnv_config_boolean(config, "log/json"));
    cr_assert_eq(warnings, 0U);
}

Test(config_load, every_key_has_a_variable_of_its_own)
{
    for (const struct cnv_param *param = cnv_config_keys; param->path != NULL; param++) {
        char variable[512] = "CONVENE_";
        const char *const environment[] = { variable, NULL };
        size_t len = strlen(variable);

        for (const char *at = param->path; *at != '\0'; at++, len++) {
            if (*at == '/' || *at == '-') {
                variable[len] = '_';
            } else {
                variable[len] = (char) toupper((unsigned char) *at);
            }
        }
        (void) snprintf(variable + len, sizeof(variable) - len, "=\n");
        cr_assert_eq(read_environment(environment), CNV_E_INPUT, "%s", variable);
        (void) snprintf(variable, sizeof(variable), "environment: %s=?: allowed is ", param->path);
        cr_assert_eq(strncmp(err.text, variable, strlen(variable)), 0, "%s", err.text);
    }
}

Test(config_load, an_unknown_variable_of_a_section_is_refused_and_changes_nothing)
{
    const char *const environment[] = { "CONVENE_RUN_SEED=3", "CONVENE_POLICY_LOCAL_STEP=4", NULL };
    const char *const section[] = { "CONVENE_LOG=debug", NULL };

    cr_assert_eq(read_environment(environment), CNV_E_INPUT);
    cr_assert_str_eq(err.text,
                     "environment: CONVENE_POLICY_LOCAL_STEP=4: unknown key; the nearest "
                     "known key is CONVENE_POLICY_LOCAL_STEPS");
    cr_assert_eq(cnv_config_integer(config, "run/seed"), 1);
    cr_assert_eq(read_environment(section), CNV_E_INPUT);
}

Test(config_load, a_bad_value_in_the_environment_is_refused)
{
    const char *const environment[] = { "CONVENE_RUN_SEED=one", NULL };

    cr_assert_eq(read_environment(environment), CNV_E_INPUT);
    cr_assert_str_eq(err.text,
                     "environment: run/seed=one: allowed is a whole number of at least 0");
}

Test(config_load, other_variables_are_warned_of_once_and_test_variables_not)
{
    const char *const environment[] = { "CONVENE_PORT=tcp://10.0.0.1:5550",
                                        "CONVENE_SERVICE_HOST=10.0.0.1",
                                        "CONVENE_TEST_DATA=/data",
                                        "CONVENE_CONTROL=ipc:///tmp/x",
                                        "CONVENE_RUNS_SEED=3",
                                        "CONVENER=1",
                                        NULL };

    cr_assert_eq(read_environment(environment), CNV_OK, "%s", err.text);
    cr_assert_eq(warnings, 3U);
    cr_assert_str_eq(warned[0], "CONVENE_PORT");
    cr_assert_str_eq(warned[1], "CONVENE_SERVICE_HOST");
    cr_assert_str_eq(warned[2], "CONVENE_RUNS_SEED");
}
