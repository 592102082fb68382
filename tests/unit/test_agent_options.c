/* test_agent_options.c - the command line of convene-agent: what is taken, and what is said of the
 * rest. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/param.h"
#include "main/options.h"

static char folder[] = "/tmp/cnv-agent-XXXXXX";
static char data[64];
static char empty[64];

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void open_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void) snprintf(data, sizeof(data), "%s/data.libsvm", folder);
    (void) snprintf(empty, sizeof(empty), "%s/empty", folder);
    put(data, "1 1:0.5\n");
    put(empty, "");
}

static void close_folder(void)
{
    (void) unlink(data);
    (void) unlink(empty);
    (void) rmdir(folder);
}

TestSuite(agent_options, .init = open_folder, .fini = close_folder, .timeout = 5);

static void ignore_name(const char *name)
{
    (void) name;
}

/* words: ended by NULL; options point to them until the next call. */
static enum cnv_status read_words(const char *const *words,
                                  char *const *environment,
                                  struct cnv_agent_options *options,
                                  struct cnv_error *err)
{
    static char copies[16][96];
    char *argv[16] = { (char[]){ "convene-agent" } };
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++) {
        (void) snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    return cnv_agent_options_read(argc, argv, environment, ignore_name, options, err);
}

static char *const no_environment[] = { NULL };

#define READ(options, err, ...)                                                                    \
    read_words((const char *const[]){ __VA_ARGS__, NULL }, no_environment, options, err)

Test(agent_options, everything_can_be_said)
{
    struct cnv_agent_options options;
    struct cnv_error err;

    cr_assert_eq(READ(&options,
                      &err,
                      "--server",
                      "tcp://h:1",
                      "--data",
                      data,
                      "--shard=2/8",
                      "--name",
                      "gpu-2",
                      "--set",
                      "log/level=debug",
                      "--test",
                      data,
                      "--cores",
                      "3",
                      "--wait",
                      "1.5"),
                 CNV_OK,
                 "%s",
                 err.text);
    cr_assert_str_eq(options.server, "tcp://h:1");
    cr_assert_eq(options.shard, 2);
    cr_assert_eq(options.shards, 8);
    cr_assert_str_eq(options.name, "gpu-2");
    cr_assert_eq(options.cores, 3);
    cr_assert_eq(options.patience_ms, 1500);
    cr_assert_str_eq(cnv_config_text(options.config, "log/level"), "debug");
    cr_assert_str_eq(cnv_config_text(options.config, "data/test"), data);
    cnv_agent_options_fini(&options);
}

Test(agent_options, the_name_is_that_of_host_and_shard)
{
    struct cnv_agent_options first;
    struct cnv_agent_options again;
    struct cnv_error err;

    cr_assert_eq(READ(&first, &err, "--server", "tcp://h:1", "--data", data, "--shard", "2/8"),
                 CNV_OK);
    cr_assert_eq(READ(&again, &err, "--server", "tcp://h:1", "--data", data, "--shard", "2/8"),
                 CNV_OK);
    cr_assert_str_eq(first.name, again.name);
    cr_assert_str_eq(first.name + strlen(first.name) - 2, "-2");
    cnv_agent_options_fini(&again);
    cr_assert_eq(READ(&again, &err, "--server", "tcp://h:1", "--data", data), CNV_OK);
    cr_assert_eq(again.shard, 1);
    cr_assert_eq(again.shards, 1);
    cnv_agent_options_fini(&again);
    cr_assert_eq(READ(&again, &err, "--server", "tcp://h:1", "--data", data, "--shard", "auto"),
                 CNV_OK);
    cr_assert_eq(again.shards, 0);
    cnv_agent_options_fini(&first);
    cnv_agent_options_fini(&again);
}

Test(agent_options, the_command_line_wins_over_the_environment)
{
    char *const environment[] = { (char[]){ "CONVENE_LOG_LEVEL=error" },
                                  (char[]){ "CONVENE_LOG_JSON=true" },
                                  NULL };
    const char *const words[] = { "--set",     "log/level=warn", "--server",
                                  "tcp://h:1", "--data",         data,
                                  NULL };
    struct cnv_agent_options options;
    struct cnv_error err;

    cr_assert_eq(read_words(words, environment, &options, &err), CNV_OK, "%s", err.text);
    cr_assert_str_eq(cnv_config_text(options.config, "log/level"), "warn");
    cr_assert(cnv_config_boolean(options.config, "log/json"));
    cnv_agent_options_fini(&options);
}

Test(agent_options, what_is_wrong_is_named)
{
    const struct {
        const char *words[8];
        const char *in_text;
    } cases[] = {
        { { "--data", data }, "--server" },
        { { "--server", "tcp://h:1" }, "--data" },
        { { "--server", "tcp://h:1", "--data" }, "--data needs a value" },
        { { "--server", "tcp://h:1", "--data", "/nowhere/x" }, "/nowhere/x: No such file" },
        { { "--server", "tcp://h:1", "--data", empty }, "is empty" },
        { { "--server", "tcp://h:1", "--data", folder }, "regular file" },
        { { "--server", "tcp://h:1", "--data", data, "--test", "/nowhere/t" }, "/nowhere/t" },
        { { "--shard", "0/4" }, "--shard 0/4" },
        { { "--shard", "5/4" }, "--shard 5/4" },
        { { "--shard", "1/" }, "--shard 1/" },
        { { "--shard", "1/2x" }, "--shard 1/2x" },
        { { "--cores", "0" }, "--cores 0" },
        { { "--wait", "soon" }, "--wait soon" },
        { { "--colour" }, "--colour" },
        { { "now" }, "now" },
        { { "--set", "solver/kind=no-such" }, "solver/kind" },
        { { "--set", "solver/kinds=sgd" }, "solver/kind" },
        { { "--config", "/nowhere/c.zpl" }, "/nowhere/c.zpl" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cnv_agent_options options;
        struct cnv_error err;

        cr_assert_eq(
            read_words(cases[i].words, no_environment, &options, &err), CNV_E_INPUT, "case %zu", i);
        cr_assert_not_null(strstr(err.text, cases[i].in_text), "case %zu: %s", i, err.text);
    }
}

Test(agent_options, help_and_version_need_nothing_else)
{
    struct cnv_agent_options options;
    struct cnv_error err;

    cr_assert_eq(READ(&options, &err, "--help"), CNV_OK);
    cr_assert(options.wants_help);
    cr_assert_eq(READ(&options, &err, "--version"), CNV_OK);
    cr_assert(options.wants_version);
}
