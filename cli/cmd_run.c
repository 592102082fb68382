/*
 * cmd_run.c - convene run: a server and N agents on this machine, from one command.
 *
 * Everything that can be checked is checked before anything is started or written.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "config/config.h"
#include "data/load.h"
#include "envelope.h"
#include "interrupt.h"
#include "methods.h"
#include "plugins.h"
#include "problem/problem.h"
#include "report.h"
#include "run.h"

struct run_args {
    const char *agents;
    const char *data;
    const char *test;
    const char *config;
    const char *out;
    struct cnv_option_list set;
    struct cnv_option_list plugins;
    const char *repeat;
    bool is_inline;
    bool is_quiet;
};

extern char **environ;

static const struct cnv_option options[] = {
    { "data",
      CNV_OPTION_TEXT,
      offsetof(struct run_args, data),
      "FILE",
      "Training data: LIBSVM text, CSV, IDX images or CIFAR-10; plain, .gz or .xz." },
    { "test",
      CNV_OPTION_TEXT,
      offsetof(struct run_args, test),
      "FILE",
      "Score the final model on this file [data/test]." },
    { "agents",
      CNV_OPTION_TEXT,
      offsetof(struct run_args, agents),
      "N",
      "How many agents share the data [run/agents]." },
    { "config", CNV_OPTION_TEXT, offsetof(struct run_args, config), "FILE", "Settings in ZPL." },
    { "set",
      CNV_OPTION_LIST,
      offsetof(struct run_args, set),
      "PATH=VALUE",
      "One setting; stands above file and environment. May be repeated." },
    { "plugin",
      CNV_OPTION_LIST,
      offsetof(struct run_args, plugins),
      "FILE",
      "Load a policy, solver or problem from this shared object. May be repeated." },
    { "out",
      CNV_OPTION_TEXT,
      offsetof(struct run_args, out),
      "DIR",
      "Write rounds.csv, model.npy, model.json, run.json, convergence.svg and logs/ there." },
    { "inline",
      CNV_OPTION_FLAG,
      offsetof(struct run_args, is_inline),
      NULL,
      "In this process, without sockets; the same model, bit for bit." },
    { "repeat",
      CNV_OPTION_TEXT,
      offsetof(struct run_args, repeat),
      "N",
      "With --inline: N runs, seeds run/seed and on; prints seed, rounds and final loss of each." },
    { "quiet",
      CNV_OPTION_FLAG,
      offsetof(struct run_args, is_quiet),
      NULL,
      "Print failures alone." },
    { .name = NULL },
};

static void warn_unknown(const char *name)
{
    (void) fprintf(stderr, "convene run: warning: the variable %s is not a setting\n", name);
}

/* Default < file < environment < command line. */
static enum cnv_status
read_settings(const struct run_args *args, struct cnv_config *config, struct cnv_error *err)
{
    static const char *const ignored[] = { "CONVENE_CONTROL", NULL };
    enum cnv_status status = CNV_OK;

    if (args->config != NULL) {
        status = cnv_config_load(config, args->config, err);
    }
    if (status == CNV_OK) {
        status = cnv_config_environment(config, environ, ignored, warn_unknown, err);
    }
    for (size_t i = 0; i < args->set.count && status == CNV_OK; i++) {
        status = cnv_config_assign(config, args->set.at[i], "--set", err);
    }
    if (status == CNV_OK && args->agents != NULL) {
        status = cnv_config_set(config, "run/agents", args->agents, "--agents", err);
    }
    if (status == CNV_OK && args->test != NULL) {
        status = cnv_config_set(config, "data/test", args->test, "--test", err);
    }
    if (status == CNV_OK) {
        cnv_config_settle(config);
        status = cnv_config_check(config, err);
    }
    return status == CNV_OK ? cnv_plugins_open(config, &args->plugins, err) : status;
}

static enum cnv_status check_files(const struct run_args *args,
                                   const struct cnv_config *config,
                                   double *ret_scale,
                                   char *ret_about,
                                   struct cnv_error *err)
{
    const char *test = cnv_config_text(config, "data/test");

    const struct cnv_problem_ops *problem =
        cnv_problem_find(cnv_config_text(config, "problem/kind"));
    enum cnv_status status = CNV_OK;

    if (args->repeat != NULL && (!args->is_inline || args->out != NULL)) {
        return cnv_fail(err, CNV_E_INPUT, "--repeat goes with --inline, and without --out");
    }
    if (args->data == NULL && (problem == NULL || !problem->is_synthetic)) {
        return cnv_fail(err, CNV_E_INPUT, "--data FILE is missing: what is to be learnt from?");
    }
    if (args->data != NULL) {
        status = cnv_file_check("--data", args->data, err);
    }
    if (status == CNV_OK && *test != '\0') {
        status = cnv_file_check("data/test", test, err);
    }
    if (status == CNV_OK && args->out != NULL) {
        status = cnv_report_check(args->out, err);
    }
    if (status == CNV_OK && args->data != NULL) {
        struct cnv_data_options reading = cnv_data_options_of(config);

        status = cnv_shard_look(args->data, &reading, ret_scale, ret_about, err);
    }
    return status;
}

/* A run that failed or was cut short before its first commit has no model to keep. */
static enum cnv_status conclude(const struct cnv_run_setup *setup,
                                const struct run_args *args,
                                const struct cnv_run_result *result,
                                struct cnv_error *err)
{
    const char *reason = cnv_json_text(result->status, "run/reason", "");
    bool has_failed = strcmp(cnv_json_text(result->status, "run/state", ""), "failed") == 0;
    bool has_model = cnv_json_count(result->status, "run/version") > 0;
    struct cnv_error plot = { 0 };
    enum cnv_status status = CNV_OK;

    if (has_model && args->out != NULL) {
        status = cnv_report_write(args->out, setup, result, &plot, err);
    }
    if (status == CNV_OK && has_model && !args->is_quiet) {
        cnv_report_print(result, args->out, &plot, stdout);
    }
    if (status == CNV_OK && result->is_deserted) {
        status = cnv_fail(err, CNV_E_SYSTEM, "all agents ended before the run did");
    } else if (status == CNV_OK && (has_failed || !has_model)) {
        status =
            cnv_fail(err, CNV_E_SYSTEM, "the run %s: %s", has_failed ? "failed" : "ended", reason);
    }
    return status;
}

static enum cnv_status
repeat(const struct cnv_run_setup *setup, const char *text, struct cnv_error *err)
{
    char *end = NULL;
    unsigned long long count = strtoull(text, &end, 10);

    if (text[0] < '1' || text[0] > '9' || *end != '\0' || count > 1000000000) {
        return cnv_fail(err, CNV_E_INPUT, "--repeat %.40s: allowed is 1 to 1000000000", text);
    }
    return cnv_run_repeats(setup, count, stdout, err);
}

static enum cnv_exit run_run(const struct cnv_command *command, void *raw)
{
    const struct run_args *args = raw;
    struct cnv_error err = { 0 };
    struct cnv_progress progress;
    struct cnv_run_result *result = NULL;
    enum cnv_exit code = CNV_EXIT_DONE;
    double scale = 1.0;
    char about[CNV_ABOUT_SIZE] = "";
    struct cnv_config *config = cnv_config_new();
    enum cnv_status status = CNV_OK;

    result = cnv_object_new(struct cnv_run_result);
    if (config == NULL || result == NULL) {
        status = cnv_fail(&err, CNV_E_NOMEM, "out of memory");
    }
    if (status == CNV_OK) {
        status = read_settings(args, config, &err);
    }
    if (status == CNV_OK) {
        status = check_files(args, config, &scale, about, &err);
    }
    if (status == CNV_OK && about[0] != '\0' && !args->is_quiet) {
        (void) printf("%s: %s\n", args->data, about);
    }
    if (status == CNV_OK && args->out != NULL && !args->is_quiet) {
        cnv_report_announce(args->out, stdout);
    }
    if (status == CNV_OK) {
        struct cnv_run_setup setup = { .config = config,
                                       .data = args->data == NULL ? "none" : args->data,
                                       .scale = scale,
                                       .progress = &progress };
        struct cnv_forecast_limits limits = {
            .rounds = (uint64_t) cnv_config_integer(config, "run/rounds"),
            .iterations = (uint64_t) cnv_config_integer(config, "run/iterations"),
            .seconds = cnv_config_real(config, "run/seconds"),
            .bytes = (double) cnv_config_integer(config, "stop/bytes"),
            .is_at_most = cnv_config_real(config, "stop/gradient") > 0.0 ||
                          cnv_config_real(config, "stop/gradient-rms") > 0.0 ||
                          isfinite(cnv_config_real(config, "stop/loss")),
        };

        cnv_interrupts_catch();
        if (args->repeat != NULL) {
            status = repeat(&setup, args->repeat, &err);
            goto done;
        }
        cnv_progress_init(&progress, args->is_quiet ? NULL : stdout, &limits);
        status = args->is_inline ? cnv_run_inline(&setup, result, &err)
                                 : cnv_run_local(&setup, result, &err);
        if (status == CNV_OK) {
            status = conclude(&setup, args, result, &err);
        }
    }
done:
    if (status != CNV_OK) {
        code = cnv_command_fail(command, &err);
    }
    if (result != NULL) {
        cnv_run_result_fini(result);
    }
    cnv_free(result);
    cnv_config_destroy(config);
    return code;
}

const struct cnv_command cnv_command_run = {
    .name = "run",
    .text = "Train with a server and N agents on this machine, and write a report.",
    .options = options,
    .args_size = sizeof(struct run_args),
    .examples = "  convene run --agents 4 --data a9a.libsvm.xz --set problem/l2=1/n --out result\n"
                "  convene run --agents 4 --data train-images-idx3-ubyte.gz --test "
                "t10k-images-idx3-ubyte.gz \\\n"
                "      --set problem/kind=softmax --set policy/kind=adaptive-l --out result\n"
                "  convene run --inline --agents 8 --config run.zpl --data a9a.libsvm\n",
    .notes = "The sockets are private; listen/control may name one for \"convene status\". Ctrl-C "
             "finishes the\n"
             "round in hand and keeps what was learnt; a second one gives up. All settings: "
             "convened --help.\n",
    .print_more = cnv_methods_print,
    .run = run_run,
};
