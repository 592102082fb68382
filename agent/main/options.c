/*
 * options.c - command line > environment > file > defaults, as in all programs of the project.
 *
 * Options are read in two passes, because the file and the environment must be taken in before the
 * settings on the command line, wherever --config stands. Invariant: options hold borrowed words of
 * the command line; only config is owned.
 */
#include "main/options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "plugin/load.h"

enum option_letter {
    OPTION_SERVER = 's',
    OPTION_JOIN = 'j',
    OPTION_DATA = 'd',
    OPTION_TEST = 't',
    OPTION_NAME = 'n',
    OPTION_SHARD = 'k',
    OPTION_SET = 'S',
    OPTION_CONFIG = 'c',
    OPTION_PLUGIN = 'p',
    OPTION_CORES = 'C',
    OPTION_WAIT = 'w',
    OPTION_STAY = 'y',
    OPTION_HELP = 'h',
    OPTION_VERSION = 'V',
};

static const struct option long_options[] = {
    { "server", required_argument, NULL, OPTION_SERVER },
    { "join", required_argument, NULL, OPTION_JOIN },
    { "data", required_argument, NULL, OPTION_DATA },
    { "test", required_argument, NULL, OPTION_TEST },
    { "name", required_argument, NULL, OPTION_NAME },
    { "shard", required_argument, NULL, OPTION_SHARD },
    { "set", required_argument, NULL, OPTION_SET },
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "plugin", required_argument, NULL, OPTION_PLUGIN },
    { "cores", required_argument, NULL, OPTION_CORES },
    { "wait", required_argument, NULL, OPTION_WAIT },
    { "stay", no_argument, NULL, OPTION_STAY },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

void cnv_agent_options_help(FILE *out)
{
    (void) fputs(
        "convene-agent takes part in a run: it learns from data that never leaves this host.\n"
        "\n"
        "usage: convene-agent (--server ENDPOINT | --join FILE) --data FILE [options]\n"
        "\n"
        "  --server ENDPOINT  Where the server is: tcp://HOST:PORT or ipc://PATH. It is waited "
        "for.\n"
        "  --join FILE        Address and keys, as \"convene keygen --agent\" writes them.\n"
        "  --data FILE        LIBSVM text, CSV, IDX images, CIFAR-10; plain, .gz or .xz; \"none\" "
        "for a\n"
        "                     problem that is made from the seed.\n"
        "  --test FILE        Data to score the final model on (the setting data/test).\n"
        "  --shard K/N        Work on part K of N of the data, or \"auto\": a part the server "
        "leases\n"
        "                     out, where all agents have the same file. 1/1 unless given: all of\n"
        "                     this file, which is this agent's own.\n"
        "  --name NAME        Known as NAME; unless given HOST-FILE, HOST-K for shard K/N,\n"
        "                     HOST-PID with --shard auto.\n"
        "  --cores N          Tell the server of N cores instead of all this host has.\n"
        "  --wait SECONDS     Give up when no server has answered after so long; forever unless "
        "given.\n"
        "  --stay             Wait for the next run when one is over [agent/stay].\n"
        "  --config FILE      Settings from a ZPL file.\n"
        "  --set KEY=VALUE    One setting; may be given again and again.\n"
        "  --plugin FILE      Load a solver or problem from this shared object too "
        "(agent/plugins).\n"
        "  --help, --version  Print this, or the version, and end.\n"
        "\n"
        "examples:\n"
        "  convene-agent --server tcp://host:5550 --data a9a.libsvm --shard 2/8\n"
        "  convene-agent --join gpu-3.join --data part.libsvm.xz\n"
        "\n"
        "Ends when the run does, unless another is queued or it is told to stay. SIGTERM and "
        "SIGINT: says goodbye and ends within 2 seconds.\n"
        "Exit codes: 0 done, 1 failed while running, 2 asked wrongly, 3 unreachable or refused.\n"
        "\n"
        "Settings of an agent; everything else is the server's and comes with the run:\n",
        out);
    cnv_config_help(out, "agent");
    cnv_config_help(out, "log");
}

/* --- Single values ------------------------------------------------------------------------ */

static bool
parse_number(const char *text, unsigned long low, unsigned long high, unsigned long *ret_number)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *ret_number = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_number >= low && *ret_number <= high;
}

static enum cnv_status
parse_shard(const char *text, struct cnv_agent_options *options, struct cnv_error *err)
{
    const char *slash = strchr(text, '/');
    char first[16];
    unsigned long shard = 0;
    unsigned long shards = 0;

    if (strcmp(text, "auto") == 0) {
        options->shard = 0;
        options->shards = 0;
        return CNV_OK;
    }
    if (slash != NULL && (size_t) (slash - text) < sizeof(first)) {
        (void) snprintf(first, sizeof(first), "%.*s", (int) (slash - text), text);
        if (parse_number(slash + 1, 1, UINT32_MAX, &shards) &&
            parse_number(first, 1, shards, &shard)) {
            options->shard = (uint32_t) shard;
            options->shards = (uint32_t) shards;
            return CNV_OK;
        }
    }
    return cnv_fail(
        err, CNV_E_INPUT, "--shard %.60s: allowed is K/N with 1 <= K <= N, or auto", text);
}

static enum cnv_status
parse_wait(const char *text, struct cnv_agent_options *options, struct cnv_error *err)
{
    char *end = NULL;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds > 0.0) || seconds > 1e9) {
        return cnv_fail(
            err, CNV_E_INPUT, "--wait %.60s: allowed is a number of seconds above 0", text);
    }
    options->patience_ms = (int64_t) (seconds * 1000.0);
    return CNV_OK;
}

/* The data must be a file with something in it; what is in it the loader judges. */
static enum cnv_status check_file(const char *option, const char *path, struct cnv_error *err)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum cnv_status status = CNV_OK;

    if (fd < 0 || fstat(fd, &facts) != 0) {
        status = cnv_fail(err, CNV_E_INPUT, "%s %s: %s", option, path, strerrordesc_np(errno));
    } else if (!S_ISREG(facts.st_mode)) {
        status = cnv_fail(err, CNV_E_INPUT, "%s %s: expected a regular file", option, path);
    } else if (facts.st_size == 0) {
        status = cnv_fail(err, CNV_E_INPUT, "%s %s: the file is empty", option, path);
    }
    if (fd >= 0) {
        (void) close(fd);
    }
    return status;
}

/* --- The command line --------------------------------------------------------------------- */

static enum cnv_status
parse_one(int letter, const char *value, struct cnv_agent_options *options, struct cnv_error *err)
{
    unsigned long number = 0;
    int n = 0;

    switch (letter) {
    case OPTION_SERVER:
        options->server = value;
        return CNV_OK;
    case OPTION_JOIN:
        options->join_file = value;
        return CNV_OK;
    case OPTION_DATA:
        options->data = value;
        return CNV_OK;
    case OPTION_NAME:
        n = snprintf(options->name, sizeof(options->name), "%s", value);
        if (n <= 0 || (size_t) n >= sizeof(options->name)) {
            return cnv_fail(
                err, CNV_E_INPUT, "--name %.80s: allowed are 1 to 64 characters", value);
        }
        return CNV_OK;
    case OPTION_SHARD:
        return parse_shard(value, options, err);
    case OPTION_CORES:
        if (!parse_number(value, 1, 1 << 20, &number)) {
            return cnv_fail(err, CNV_E_INPUT, "--cores %.60s: allowed is a number from 1", value);
        }
        options->cores = (uint32_t) number;
        return CNV_OK;
    case OPTION_WAIT:
        return parse_wait(value, options, err);
    case OPTION_HELP:
        options->wants_help = true;
        return CNV_OK;
    case OPTION_VERSION:
        options->wants_version = true;
        return CNV_OK;
    default: /* --set, --config, --test, --plugin: settings, taken in the second pass */
        return CNV_OK;
    }
}

/* The option and its value, each word of the command line in turn; -1 at the end. */
static int next_option(int argc, char **argv, struct cnv_error *err)
{
    int letter =
        getopt_long(argc, argv, "+:", long_options, NULL); /* NOLINT(concurrency-mt-unsafe) */

    if (letter == ':') {
        (void) cnv_fail(err, CNV_E_INPUT, "%s needs a value", argv[optind - 1]);
    } else if (letter == '?') {
        (void) cnv_fail(
            err, CNV_E_INPUT, "unknown option %.80s; see convene-agent --help", argv[optind - 1]);
    } else if (letter == -1 && optind < argc) {
        (void) cnv_fail(
            err, CNV_E_INPUT, "unexpected word %.80s; see convene-agent --help", argv[optind]);
        return '?';
    }
    return letter;
}

/* Options that are no settings, and the name of the configuration file. */
static enum cnv_status first_pass(int argc,
                                  char **argv,
                                  struct cnv_agent_options *options,
                                  const char **ret_file,
                                  struct cnv_error *err)
{
    int letter = 0;

    opterr = 0;
    optind = 0;
    while ((letter = next_option(argc, argv, err)) != -1) {
        if (letter == '?' || letter == ':') {
            return CNV_E_INPUT;
        }
        if (letter == OPTION_CONFIG) {
            *ret_file = optarg;
        }
        enum cnv_status status = parse_one(letter, optarg, options, err);
        if (status != CNV_OK) {
            return status;
        }
    }
    return CNV_OK;
}

/* Settings given as options, in their order. */
static enum cnv_status
second_pass(int argc, char **argv, struct cnv_config *config, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;
    int letter = 0;

    optind = 0;
    while (status == CNV_OK && (letter = next_option(argc, argv, err)) != -1) {
        if (letter == OPTION_SET) {
            status = cnv_config_assign(config, optarg, "--set", err);
        } else if (letter == OPTION_TEST) {
            status = cnv_config_set(config, "data/test", optarg, "--test", err);
        } else if (letter == OPTION_PLUGIN) {
            status = cnv_plugin_add(config, "agent/plugins", optarg, err);
        } else if (letter == OPTION_STAY) {
            status = cnv_config_set(config, "agent/stay", "true", "--stay", err);
        }
    }
    return status;
}

/* Appends text to name, with '-' for whatever a name may not hold; stops at the first dot. */
static void append_to_name(char *name, size_t size, const char *text)
{
    size_t used = strlen(name);

    for (; *text != '\0' && *text != '.' && used + 1 < size; text++) {
        bool is_fit = isalnum((unsigned char) *text) != 0 || *text == '_' || *text == '-';

        name[used++] = (char) (is_fit ? *text : '-');
    }
    name[used] = '\0';
}

/* A name that is the same when this agent is started again: its host, and what it works on. */
static void default_name(struct cnv_agent_options *options)
{
    char host[49] = "";
    char part[24];
    const char *data = options->data == NULL ? "" : options->data;
    const char *file = strrchr(data, '/');

    (void) gethostname(host, sizeof(host) - 1);
    append_to_name(options->name, sizeof(host), host[0] == '\0' ? "agent" : host);
    if (options->shards == 1) {
        append_to_name(options->name, sizeof(options->name), "-");
        append_to_name(options->name, sizeof(options->name), file == NULL ? data : file + 1);
        return;
    }
    (void) snprintf(part,
                    sizeof(part),
                    "-%lu",
                    options->shards == 0 ? (unsigned long) getpid() : options->shard);
    append_to_name(options->name, sizeof(options->name), part);
}

static enum cnv_status check(const struct cnv_agent_options *options, struct cnv_error *err)
{
    const char *test = cnv_config_text(options->config, "data/test");

    if (options->server == NULL && options->join_file == NULL) {
        return cnv_fail(
            err, CNV_E_INPUT, "which server? --server tcp://HOST:PORT or --join FILE is needed");
    }
    if (options->data == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "what is to be learnt from? --data FILE is needed");
    }
    bool is_none = strcmp(options->data, "none") == 0;
    enum cnv_status status = is_none ? CNV_OK : check_file("--data", options->data, err);
    if (status == CNV_OK && *test != '\0') {
        status = check_file("data/test", test, err);
    }
    return status;
}

enum cnv_status cnv_agent_options_read(int argc,
                                       char **argv,
                                       char *const *environment,
                                       void (*warn)(const char *name),
                                       struct cnv_agent_options *ret_options,
                                       struct cnv_error *err)
{
    static const char *const ignored[] = { "CONVENE_CONTROL", NULL };
    struct cnv_agent_options options = { .shard = 1, .shards = 1, .patience_ms = -1 };
    const char *file = NULL;
    enum cnv_status status = first_pass(argc, argv, &options, &file, err);

    if (status != CNV_OK || options.wants_help || options.wants_version) {
        goto done;
    }
    options.config = cnv_config_new();
    if (options.config == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "settings");
    }
    if (file != NULL) {
        status = cnv_config_load(options.config, file, err);
    }
    if (status == CNV_OK) {
        status = cnv_config_environment(options.config, environment, ignored, warn, err);
    }
    if (status == CNV_OK) {
        status = second_pass(argc, argv, options.config, err);
    }
    if (status == CNV_OK) {
        status = check(&options, err);
    }
    if (status == CNV_OK && options.name[0] == '\0' && options.join_file == NULL) {
        default_name(&options);
    }

done:
    if (status != CNV_OK) {
        cnv_agent_options_fini(&options);
        return status;
    }
    *ret_options = options;
    return CNV_OK;
}

void cnv_agent_options_fini(struct cnv_agent_options *options)
{
    cnv_config_destroy(options->config);
    options->config = NULL;
}
