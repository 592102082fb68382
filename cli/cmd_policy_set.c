/* cmd_policy_set.c - convene policy set: another policy, or other settings, for a run in progress.
 */
#include <stdio.h>
#include <string.h>

#include "proto/message.h"
#include "request.h"
#include "screen.h"

struct set_args {
    struct cnv_request request;
    struct cnv_option_list words;
};

static const struct cnv_option options[] = {
    { "",
      CNV_OPTION_LIST,
      offsetof(struct set_args, words),
      "[KIND] [KEY=VALUE ...]",
      "As policy/kind; keys of policy/, with or without \"policy/\"." },
    CNV_REQUEST_OPTIONS,
    CNV_REQUEST_JSON,
    { .name = NULL },
};

/* "set KIND KEY=VALUE ...": what a command carries. */
static enum cnv_status
join_words(const struct cnv_option_list *words, char *text, size_t size, struct cnv_error *err)
{
    size_t used = (size_t) snprintf(text, size, "set");

    if (words->count == 0) {
        return cnv_fail(err, CNV_E_INPUT, "what is to be set? convene policy set KIND KEY=VALUE");
    }
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->at[i];

        if (word[0] == '\0' || word[strcspn(word, " \t\r\n")] != '\0') {
            return cnv_fail(err, CNV_E_INPUT, "\"%.60s\": expected a word without blanks", word);
        }
        used += (size_t) snprintf(text + used, size - used, " %s", word);
        if (used >= size) {
            return cnv_fail(err, CNV_E_INPUT, "more than %zu bytes of settings", size - 1);
        }
    }
    return CNV_OK;
}

static enum cnv_exit set_run(const struct cnv_command *command, void *raw)
{
    const struct set_args *args = raw;
    char argument[sizeof(((struct cnv_msg_command *) NULL)->argument)];
    struct cnv_error err = { 0 };

    if (join_words(&args->words, argument, sizeof(argument), &err) != CNV_OK) {
        return cnv_command_fail(command, &err);
    }
    return cnv_request_show(command, &args->request, "policy", argument, cnv_screen_policy);
}

const struct cnv_command cnv_command_policy_set = {
    .name = "policy set",
    .text = "Give the run in progress another policy, or its policy other settings.",
    .options = options,
    .args_size = sizeof(struct set_args),
    .examples = "  convene policy set adaptive-l delta=1e-3\n"
                "  convene policy set fixed local-steps=20\n"
                "  convene policy set local-steps=10\n"
                "  convene policy set plugin:plateau options=patience=2\n",
    .notes = "It makes the next decision, at the next commit, and starts from there; the reason of "
             "that round, in\n"
             "rounds.csv and status, says who set it and what was before. Settings that are not "
             "given stay. What is\n"
             "wrong is named (exit code 2), and the run goes on as it was. A plug-in has to be "
             "loaded already.\n",
    .run = set_run,
};
