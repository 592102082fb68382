/* cmd_status.c - convene status: what the daemon is doing and why. */
#include "request.h"
#include "screen.h"

static const struct cnv_option options[] = {
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit status_run(const struct cnv_command *command, void *args)
{
    return cnv_request_show(command, args, "status", "", cnv_screen_status);
}

const struct cnv_command cnv_command_status = {
    .name = "status",
    .text = "Show run, policy and its reason, members, and who is waited for.",
    .options = options,
    .args_size = sizeof(struct cnv_request),
    .examples = "  convene status\n"
                "  convene status --json | jq -r .data.policy.reason\n"
                "  convene status --control tcp://host:5552 --join operator-jo.join --timeout 2\n",
    .run = status_run,
};
