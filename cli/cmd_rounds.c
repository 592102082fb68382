/* cmd_rounds.c - convene rounds: one row a round, as a table, CSV or JSON. */
#include <stdio.h>

#include "request.h"
#include "screen.h"

struct rounds_args {
    struct cnv_request request;
    const char *after; /* NULL: all rounds */
    bool csv;
};

static const struct cnv_option options[] = {
    { "csv",
      CNV_OPTION_FLAG,
      offsetof(struct rounds_args, csv),
      NULL,
      "Print CSV with all digits." },
    { "after",
      CNV_OPTION_TEXT,
      offsetof(struct rounds_args, after),
      "N",
      "Only the rounds behind this one." },
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit rounds_run(const struct cnv_command *command, void *args)
{
    struct rounds_args *rounds = args;
    struct cnv_blob *body = NULL;
    enum cnv_exit code = CNV_EXIT_DONE;
    char argument[64] = "";

    if (rounds->csv && (rounds->request.json || rounds->after != NULL)) {
        struct cnv_error err;

        (void) cnv_fail(&err, CNV_E_INPUT, "--csv goes with neither --json nor --after");
        return cnv_command_fail(command, &err);
    }
    if (rounds->after != NULL) {
        (void) snprintf(argument, sizeof(argument), "after %s", rounds->after);
    }
    if (!rounds->csv) {
        return cnv_request_show(command, &rounds->request, "rounds", argument, cnv_screen_rounds);
    }
    if (cnv_request_ask(command, &rounds->request, "rounds", "csv", &body, &code)) {
        (void) fwrite(cnv_blob_data(body), 1, cnv_blob_len(body), stdout);
        cnv_blob_unref(body);
    }
    return code;
}

const struct cnv_command cnv_command_rounds = {
    .name = "rounds",
    .text = "Show every round: L, loss, traffic, and why it was set up so.",
    .options = options,
    .args_size = sizeof(struct rounds_args),
    .examples = "  convene rounds\n"
                "  convene rounds --after 100\n"
                "  convene rounds --csv > rounds.csv\n",
    .notes = "A round's loss is that of the model it started from; the last row is the current "
             "model's.\n"
             "Bytes, seconds and exchanges are counted from the start of the run.\n",
    .run = rounds_run,
};
