/* cmd_plot.c - convene plot: the convergence of runs side by side. */
#include "command.h"
#include "plot.h"

struct plot_args {
    struct cnv_option_list directories;
    const char *out;
};

static const struct cnv_option options[] = {
    { "",
      CNV_OPTION_LIST,
      offsetof(struct plot_args, directories),
      "DIR...",
      "Reports of runs: what \"convene run --out DIR\" left." },
    { "out",
      CNV_OPTION_TEXT,
      offsetof(struct plot_args, out),
      "FILE",
      "The SVG file to write [convergence.svg]." },
    { .name = NULL },
};

static enum cnv_exit plot_run(const struct cnv_command *command, void *raw)
{
    const struct plot_args *args = raw;
    struct cnv_error err;

    if (cnv_plot(args->directories.at,
                 args->directories.count,
                 args->out == NULL ? "convergence.svg" : args->out,
                 &err) != CNV_OK) {
        return cnv_command_fail(command, &err);
    }
    return CNV_EXIT_DONE;
}

const struct cnv_command cnv_command_plot = {
    .name = "plot",
    .text = "Draw the convergence of runs side by side, from their reports.",
    .options = options,
    .args_size = sizeof(struct plot_args),
    .examples = "  convene plot adaptive every-step --out compare.svg\n",
    .notes = "Loss against rounds, seconds and bytes, and L over the rounds; where most losses lie "
             "close to\nthe lowest, the loss less the lowest, in logarithms. Drawn by gnuplot.\n",
    .run = plot_run,
};
