/* cmd_policy.c - convene policy: the policy's last decision and its reason. */
#include "request.h"
#include "screen.h"

static const struct cnv_option options[] = {
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit policy_run(const struct cnv_command *command, void *args)
{
    return cnv_request_show(command, args, "policy", "", cnv_screen_policy);
}

const struct cnv_command cnv_command_policy = {
    .name = "policy",
    .text = "Show how long agents work alone now, with which solver, and why.",
    .options = options,
    .args_size = sizeof(struct cnv_request),
    .examples = "  convene policy\n"
                "  convene policy --json | jq .data.local_steps\n",
    .run = policy_run,
};
