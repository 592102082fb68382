/* cmd_model_get.c - convene model get: the newest committed model as a NumPy file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "request.h"

struct model_get_args {
    struct cnv_request request;
    const char *out;
};

static const struct cnv_option options[] = {
    { "out",
      CNV_OPTION_TEXT,
      offsetof(struct model_get_args, out),
      "FILE",
      "Where to write it [standard output]." },
    CNV_REQUEST_OPTIONS,
    { .name = NULL },
};

static enum cnv_exit model_get_run(const struct cnv_command *command, void *args)
{
    struct model_get_args *get = args;
    struct cnv_blob *body = NULL;
    struct cnv_error err;
    enum cnv_exit code = CNV_EXIT_DONE;

    if (get->out == NULL && isatty(STDOUT_FILENO)) {
        (void) cnv_fail(&err, CNV_E_INPUT, "a model is not for a terminal: give --out FILE");
        return cnv_command_fail(command, &err);
    }
    if (!cnv_request_ask(command, &get->request, "model", "", &body, &code)) {
        return code;
    }
    if (get->out != NULL) {
        if (cnv_file_replace(get->out, cnv_blob_data(body), cnv_blob_len(body), &err) != CNV_OK) {
            code = cnv_command_fail(command, &err);
        }
    } else if (fwrite(cnv_blob_data(body), 1, cnv_blob_len(body), stdout) != cnv_blob_len(body) ||
               fflush(stdout) != 0) {
        (void) cnv_fail(&err, CNV_E_SYSTEM, "cannot write to standard output");
        code = cnv_command_fail(command, &err);
    }
    cnv_blob_unref(body);
    return code;
}

const struct cnv_command cnv_command_model_get = {
    .name = "model get",
    .text = "Fetch the newest committed model as a NumPy .npy file.",
    .options = options,
    .args_size = sizeof(struct model_get_args),
    .examples = "  convene model get --out model.npy\n"
                "  python3 -c 'import numpy; print(numpy.load(\"model.npy\").shape)'\n",
    .notes = "The file appears whole or not at all.\n",
    .run = model_get_run,
};
