/* cmd_agents.c - convene agents: the members of the run. */
#include "request.h"
#include "screen.h"

static const struct cnv_option options[] = {
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

static enum cnv_exit agents_run(const struct cnv_command *command, void *args)
{
    return cnv_request_show(command, args, "agents", "", cnv_screen_agents);
}

const struct cnv_command cnv_command_agents = {
    .name = "agents",
    .text = "List the members: host, state, shard, rounds, traffic, speed, last heard.",
    .options = options,
    .args_size = sizeof(struct cnv_request),
    .examples =
        "  convene agents\n"
        "  convene agents --json | jq -r '.data.agents[] | select(.state == \"lost\") | .name'\n",
    .run = agents_run,
};
