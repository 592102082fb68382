/* cmd_drain.c - convene drain: end the run in order. */
#include "request.h"
#include "screen.h"

static const struct cnv_option options[] = {
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit drain_run(const struct cnv_command *command, void *args)
{
    return cnv_request_show(command, args, "drain", "", cnv_screen_run);
}

const struct cnv_command cnv_command_drain = {
    .name = "drain",
    .text = "Finish the round in hand if limits/drain allows, then end the run.",
    .options = options,
    .args_size = sizeof(struct cnv_request),
    .examples = "  convene drain\n"
                "  convene drain --control ipc:///run/convene/control\n",
    .notes =
        "The agents are told and end with exit code 0. \"convene status\" shows how far it is. "
        "The\n"
        "daemon goes on serving the model until \"convene stop\" (run/linger=false: it ends).\n",
    .run = drain_run,
};
