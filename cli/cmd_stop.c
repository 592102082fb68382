/* cmd_stop.c - convene stop: end the run and the daemon now. */
#include "request.h"
#include "screen.h"

static const struct cnv_option options[] = {
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit stop_run(const struct cnv_command *command, void *args)
{
    return cnv_request_show(command, args, "stop", "", cnv_screen_run);
}

const struct cnv_command cnv_command_stop = {
    .name = "stop",
    .text = "End run and daemon now; the round in hand is given up.",
    .options = options,
    .args_size = sizeof(struct cnv_request),
    .examples = "  convene stop\n"
                "  convene drain && convene model get --out model.npy && convene stop\n",
    .run = stop_run,
};
