/*
 * main.c - convened: reads the settings, opens the daemon, runs it.
 *
 * default < file < environment < command line, whatever their order on it. What is asked wrongly
 * ends in one line and exit code 2 before anything is opened.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/daemon.h"
#include "plugin/load.h"
#include "policy/policy.h"

enum {
    OPTION_CONFIG = 'c',
    OPTION_SET = 's',
    OPTION_PLUGIN = 'p',
    OPTION_HELP = 'h',
    OPTION_VERSION = 'V'
};

static const char usage[] =
    "usage: convened [--config FILE] [--set PATH=VALUE]... [--plugin FILE]...\n"
    "\n"
    "The parameter server of convene: holds the model, waits for run/agents agents, averages.\n"
    "\n"
    "  --config FILE      settings in ZPL; the environment and --set override it\n"
    "  --set PATH=VALUE   one setting; may be given again\n"
    "  --plugin FILE      load a policy from this shared object too (policy/plugins)\n"
    "  --help             this text and all settings\n"
    "  --version          the version\n"
    "\n"
    "SIGTERM and SIGINT finish the round in hand (at most limits/drain seconds) and exit 0; a "
    "second\n"
    "one gives it up. SIGHUP reads the allow list again.\n"
    "Exit codes: 0 done, 1 failed while running, 2 asked wrongly.\n"
    "\n"
    "Settings (as environment variable: policy/local-steps is CONVENE_POLICY_LOCAL_STEPS):\n"
    "\n";

/* What the command line asks for. */
struct request {
    const char *config;
    char **sets; /* [set_count] borrowed from argv */
    size_t set_count;
    char **plugins; /* [plugin_count] the same */
    size_t plugin_count;
    bool wants_help;
    bool wants_version;
};

static enum cnv_status
request_parse(int argc, char **argv, struct request *request, struct cnv_error *err)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "set", required_argument, NULL, OPTION_SET },
        { "plugin", required_argument, NULL, OPTION_PLUGIN },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL, 0, NULL, 0 },
    };
    int option = 0;

    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet */
    while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        switch (option) {
        case OPTION_CONFIG:
            request->config = optarg;
            break;
        case OPTION_SET:
            request->sets[request->set_count++] = optarg;
            break;
        case OPTION_PLUGIN:
            request->plugins[request->plugin_count++] = optarg;
            break;
        case OPTION_HELP:
            request->wants_help = true;
            break;
        case OPTION_VERSION:
            request->wants_version = true;
            break;
        case ':':
            return cnv_fail(err, CNV_E_INPUT, "%s needs a value", argv[optind - 1]);
        default:
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s: there are --config FILE, --set PATH=VALUE, --plugin FILE, "
                            "--help, --version",
                            argv[optind - 1]);
        }
    }
    if (optind < argc) {
        return cnv_fail(
            err, CNV_E_INPUT, "%s: arguments without -- mean nothing here", argv[optind]);
    }
    return CNV_OK;
}

static void warn_unknown(const char *name)
{
    cnv_log(CNV_LOG_WARN, "unknown_variable", "name=%s", name);
}

static enum cnv_status
settings_read(struct cnv_config *config, const struct request *request, struct cnv_error *err)
{
    static const char *const ignored[] = { "CONVENE_CONTROL", NULL };
    enum cnv_status status =
        request->config == NULL ? CNV_OK : cnv_config_load(config, request->config, err);

    if (status == CNV_OK) {
        status = cnv_config_environment(config, environ, ignored, warn_unknown, err);
    }
    for (size_t i = 0; status == CNV_OK && i < request->set_count; i++) {
        status = cnv_config_assign(config, request->sets[i], "--set", err);
    }
    for (size_t i = 0; status == CNV_OK && i < request->plugin_count; i++) {
        status = cnv_plugin_add(config, "policy/plugins", request->plugins[i], err);
    }
    cnv_config_settle(config);
    return status == CNV_OK ? cnv_config_check(config, err) : status;
}

static enum cnv_status plugins_load(const struct cnv_config *config, struct cnv_error *err)
{
    static const cnv_plugin_adopt_fn adopt[CNV_PLUGIN_KINDS] = {
        [CNV_PLUGIN_POLICY] = cnv_policy_adopt,
    };

    return cnv_plugin_load_list(cnv_config_text(config, "policy/plugins"), adopt, err);
}

static void log_open(const struct cnv_config *config)
{
    cnv_log_open("convened",
                 cnv_log_level_find(cnv_config_text(config, "log/level")),
                 cnv_config_boolean(config, "log/json"));
}

static int serve(struct cnv_config *config, const struct request *request)
{
    struct cnv_daemon *daemon = NULL;
    struct cnv_error err;
    enum cnv_status status = settings_read(config, request, &err);

    if (status == CNV_OK) {
        log_open(config);
        status = plugins_load(config, &err);
    }
    if (status == CNV_OK) {
        status = cnv_daemon_new(config, &daemon, &err);
    }
    if (status != CNV_OK) {
        (void) fprintf(stderr, "convened: %s\n", err.text);
        return (int) cnv_status_exit(status);
    }
    enum cnv_exit code = cnv_daemon_run(daemon);
    cnv_daemon_destroy(daemon);
    return (int) code;
}

int main(int argc, char **argv)
{
    struct cnv_config *config = cnv_config_new();
    struct request request = { .sets = cnv_array_new((size_t) argc, sizeof(char *)),
                               .plugins = cnv_array_new((size_t) argc, sizeof(char *)) };
    struct cnv_error err;
    int code = CNV_EXIT_USAGE;

    cnv_log_open("convened", CNV_LOG_INFO, false);
    (void) signal(SIGPIPE, SIG_IGN); /* a reader of our log that goes away must not end the run */
    if (config == NULL || request.sets == NULL || request.plugins == NULL) {
        (void) fputs("convened: out of memory\n", stderr);
        code = CNV_EXIT_FAILED;
    } else if (request_parse(argc, argv, &request, &err) != CNV_OK) {
        (void) fprintf(stderr, "convened: %s\n", err.text);
    } else if (request.wants_help) {
        (void) fputs(usage, stdout);
        cnv_config_help(stdout, NULL);
        code = fflush(stdout) == 0 ? CNV_EXIT_DONE : CNV_EXIT_FAILED;
    } else if (request.wants_version) {
        (void) printf("convened %s\n", CNV_VERSION);
        code = fflush(stdout) == 0 ? CNV_EXIT_DONE : CNV_EXIT_FAILED;
    } else {
        code = serve(config, &request);
    }
    cnv_free(request.sets);
    cnv_free(request.plugins);
    cnv_config_destroy(config);
    return code;
}
