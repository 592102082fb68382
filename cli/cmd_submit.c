/* cmd_submit.c - convene submit: the next run of a living daemon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "request.h"
#include "screen.h"

struct submit_args {
    struct cnv_request request;
    const char *config;
    const char *start;
    struct cnv_option_list set;
};

static const struct cnv_option options[] = {
    { "config",
      CNV_OPTION_TEXT,
      offsetof(struct submit_args, config),
      "FILE",
      "Settings of the run in ZPL." },
    { "set",
      CNV_OPTION_LIST,
      offsetof(struct submit_args, set),
      "PATH=VALUE",
      "One setting; stands above the file. May be repeated." },
    { "start",
      CNV_OPTION_TEXT,
      offsetof(struct submit_args, start),
      "zeros|ones|random|model|FILE.npy",
      "What the run starts from; model: that of the run before [run/start]." },
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

/* A file by its whole path: the daemon, which reads it, works elsewhere. */
static enum cnv_status resolve_start(struct cnv_config *config, struct cnv_error *err)
{
    const char *start = cnv_config_text(config, "run/start");
    size_t len = strlen(start);
    enum cnv_status status = CNV_OK;

    if (!cnv_config_is_given(config, "run/start") || len <= 4 ||
        strcmp(start + len - 4, ".npy") != 0) {
        return CNV_OK;
    }
    char *path = realpath(start, NULL);
    if (path == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "--start %s: %s", start, strerrordesc_np(errno));
    }
    status = cnv_config_set(config, "run/start", path, "--start", err);
    free(path);
    return status;
}

static enum cnv_status
read_settings(const struct submit_args *args, struct cnv_config *config, struct cnv_error *err)
{
    enum cnv_status status = CNV_OK;

    if (args->config != NULL) {
        status = cnv_config_load(config, args->config, err);
    }
    for (size_t i = 0; i < args->set.count && status == CNV_OK; i++) {
        status = cnv_config_assign(config, args->set.at[i], "--set", err);
    }
    if (status == CNV_OK && args->start != NULL) {
        status = cnv_config_set(config, "run/start", args->start, "--start", err);
    }
    return status == CNV_OK ? resolve_start(config, err) : status;
}

/* What was given, as lines "path=value"; NULL when memory is out. */
static char *lines_of(const struct cnv_config *config)
{
    size_t size = 1;
    size_t used = 0;
    char *lines = NULL;

    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL; key++) {
        size += strlen(key->path) + strlen(cnv_config_value(config, key->path)) + 2;
    }
    lines = cnv_array_new(size, 1);
    for (const struct cnv_param *key = cnv_config_keys; key->path != NULL && lines != NULL; key++) {
        if (cnv_config_is_given(config, key->path)) {
            used += (size_t) snprintf(lines + used,
                                      size - used,
                                      "%s=%s\n",
                                      key->path,
                                      cnv_config_value(config, key->path));
        }
    }
    return lines;
}

static enum cnv_exit submit_run(const struct cnv_command *command, void *raw)
{
    struct submit_args *args = raw;
    struct cnv_error err = { 0 };
    struct cnv_config *config = cnv_config_new();
    char *lines = NULL;
    enum cnv_exit code = CNV_EXIT_DONE;
    enum cnv_status status = config == NULL ? cnv_fail(&err, CNV_E_NOMEM, "out of memory") : CNV_OK;

    if (status == CNV_OK) {
        status = read_settings(args, config, &err);
    }
    if (status == CNV_OK) {
        lines = lines_of(config);
        status = lines == NULL ? cnv_fail(&err, CNV_E_NOMEM, "out of memory") : CNV_OK;
    }
    if (status == CNV_OK) {
        args->request.payload = lines;
        code = cnv_request_show(command, &args->request, "submit", "", cnv_screen_next);
    } else {
        code = cnv_command_fail(command, &err);
    }
    cnv_free(lines);
    cnv_config_destroy(config);
    return code;
}

const struct cnv_command cnv_command_submit = {
    .name = "submit",
    .text = "Give a living daemon its next run.",
    .options = options,
    .args_size = sizeof(struct submit_args),
    .examples = "  convene submit --start model --set problem/l2=1e-5\n"
                "  convene submit --config next.zpl --set run/name=second\n",
    .notes =
        "Settings that are not named stay those of the present run, run/start apart. If that is "
        "over the\n"
        "next one begins at once, else when it ends; one can be queued. Agents that are still "
        "connected move\n"
        "over by themselves; those started with --stay wait for it. FILE.npy is read by the "
        "daemon, on its host.\n",
    .run = submit_run,
};
