/*
 * cmd_plugin.c - convene plugin check: loads a shared object as the programs would, and shows what
 * it is and what it can be told.
 */
#include <stdio.h>

#include "command.h"
#include "config/config.h"
#include "plugins.h"

struct plugin_args {
    struct cnv_option_list files;
};

static const struct cnv_option options[] = {
    { "",
      CNV_OPTION_LIST,
      offsetof(struct plugin_args, files),
      "FILE ...",
      "Shared objects; \"./\" may be left out." },
    { .name = NULL },
};

/* Name, text, paper and keys are the first members of every table of functions. */
static void show(const char *file, const struct cnv_plugin *plugin)
{
    const char *kind = cnv_plugin_kind_name(plugin->kind);
    const char *const *words = plugin->ops;

    (void) printf("%s: %s plugin:%s - %s\n", file, kind, words[0], words[1]);
    if (words[2] != NULL && words[2][0] != '\0') {
        (void) printf("paper: %s\n", words[2]);
    }
    if (words[3] != NULL && words[3][0] != '\0') {
        (void) printf("reads: %s\n", words[3]);
    }
    if (plugin->options != NULL && plugin->options[0].path != NULL) {
        (void) printf("%s/options:\n", kind);
        cnv_options_help(stdout, plugin->options);
    }
}

static enum cnv_exit plugin_run(const struct cnv_command *command, void *raw)
{
    const struct plugin_args *args = raw;
    struct cnv_error err = { 0 };

    if (args->files.count == 0) {
        (void) cnv_fail(&err, CNV_E_INPUT, "which shared object? convene plugin check FILE");
        return cnv_command_fail(command, &err);
    }
    for (size_t i = 0; i < args->files.count; i++) {
        const struct cnv_plugin *plugin = NULL;

        if (cnv_plugins_load(args->files.at[i], &plugin, &err) != CNV_OK) {
            return cnv_command_fail(command, &err);
        }
        show(args->files.at[i], plugin);
    }
    return CNV_EXIT_DONE;
}

const struct cnv_command cnv_command_plugin_check = {
    .name = "plugin check",
    .text = "Load a policy, solver or problem from a shared object and show its settings.",
    .options = options,
    .args_size = sizeof(struct plugin_args),
    .examples = "  convene plugin check ./plateau.so\n",
    .notes =
        "Exit code 2, and a line that names the fault: no such file, not a plug-in, of another "
        "version, a\n"
        "missing function. How one is written: examples/plugins/README.md.\n",
    .run = plugin_run,
};
