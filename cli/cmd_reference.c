/* cmd_reference.c - convene reference: every method and every key, as a page. */
#include "command.h"
#include "methods.h"

static const struct cnv_option options[] = {
    { .name = NULL },
};

struct reference_args {
    char none;
};

static enum cnv_exit reference_run(const struct cnv_command *command, void *args)
{
    (void) command;
    (void) args;
    cnv_methods_reference(stdout);
    return CNV_EXIT_DONE;
}

const struct cnv_command cnv_command_reference = {
    .name = "reference",
    .text =
        "Print every method with its paper and its keys, and every setting, as a page of Markdown.",
    .options = options,
    .args_size = sizeof(struct reference_args),
    .examples = "  convene reference > reference.md\n",
    .run = reference_run,
};
