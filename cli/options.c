/* options.c - reads a command line by its table. Nothing is printed here. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct cnv_option *
option_find(const struct cnv_option *options, const char *name, size_t len)
{
    for (const struct cnv_option *option = options; option->name != NULL; option++) {
        if (strlen(option->name) == len && strncmp(option->name, name, len) == 0) {
            return option;
        }
    }
    return NULL;
}

static enum cnv_status option_store_seconds(const struct cnv_option *option,
                                            const char *value,
                                            double *target,
                                            struct cnv_error *err)
{
    char *end = NULL;

    errno = 0;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || errno != 0 || !isfinite(seconds) || seconds <= 0.0) {
        return cnv_fail(
            err, CNV_E_INPUT, "--%s %s: expected a number of seconds above 0", option->name, value);
    }
    *target = seconds;
    return CNV_OK;
}

static enum cnv_status
option_store(const struct cnv_option *option, const char *value, void *args, struct cnv_error *err)
{
    void *member = (char *) args + option->offset;

    switch (option->type) {
    case CNV_OPTION_FLAG:
        *(bool *) member = true;
        return CNV_OK;
    case CNV_OPTION_TEXT:
        *(const char **) member = value;
        return CNV_OK;
    case CNV_OPTION_SECONDS:
        return option_store_seconds(option, value, member, err);
    case CNV_OPTION_LIST: {
        struct cnv_option_list *list = member;

        if (list->count == CNV_OPTION_LIST_MAX) {
            return cnv_fail(err,
                            CNV_E_INPUT,
                            "%s%s is given more than %d times",
                            option->name[0] == '\0' ? "" : "--",
                            option->name[0] == '\0' ? option->value : option->name,
                            CNV_OPTION_LIST_MAX);
        }
        list->at[list->count++] = value;
        return CNV_OK;
    }
    }
    return cnv_fail(err, CNV_E_INPUT, "--%s has an unknown type", option->name);
}

/* A word without dashes. */
static enum cnv_status option_take_word(const struct cnv_option *options,
                                        const char *word,
                                        void *args,
                                        struct cnv_error *err)
{
    const struct cnv_option *words = option_find(options, "", 0);

    return words == NULL ? cnv_fail(err, CNV_E_INPUT, "unexpected '%s': see --help", word)
                         : option_store(words, word, args, err);
}

/* --name, --name=value or --name value at argv[*at], which moves on to the value. */
static enum cnv_status option_take_dashed(const struct cnv_option *options,
                                          int argc,
                                          const char *const *argv,
                                          int *at,
                                          void *args,
                                          struct cnv_error *err)
{
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "=");
    const struct cnv_option *option = len == 0 ? NULL : option_find(options, name, len);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;

    if (option == NULL) {
        return cnv_fail(err, CNV_E_INPUT, "unknown option '--%.*s': see --help", (int) len, name);
    }
    if (option->type == CNV_OPTION_FLAG && value != NULL) {
        return cnv_fail(err, CNV_E_INPUT, "--%s takes no value", option->name);
    }
    if (option->type != CNV_OPTION_FLAG && value == NULL) {
        if (*at + 1 == argc) {
            return cnv_fail(
                err, CNV_E_INPUT, "--%s needs a value: %s", option->name, option->value);
        }
        value = argv[++*at];
    }
    return option_store(option, value, args, err);
}

const char *cnv_options_words(const struct cnv_option *options)
{
    const struct cnv_option *words = option_find(options, "", 0);

    return words == NULL ? "" : words->value;
}

enum cnv_status cnv_options_parse(const struct cnv_option *options,
                                  int argc,
                                  const char *const *argv,
                                  void *args,
                                  bool *ret_help,
                                  struct cnv_error *err)
{
    *ret_help = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];

        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            *ret_help = true;
            return CNV_OK;
        }
        enum cnv_status status = strncmp(word, "--", 2) == 0
                                     ? option_take_dashed(options, argc, argv, &i, args, err)
                                     : option_take_word(options, word, args, err);
        if (status != CNV_OK) {
            return status;
        }
    }
    return CNV_OK;
}

void cnv_options_print(const struct cnv_option *options, FILE *out)
{
    for (const struct cnv_option *option = options; option->name != NULL; option++) {
        char left[64];

        (void) snprintf(left,
                        sizeof(left),
                        "--%s%s%s",
                        option->name,
                        option->value == NULL ? "" : " ",
                        option->value == NULL ? "" : option->value);
        (void) fprintf(out, "  %-22s %s\n", left, option->text);
    }
    (void) fprintf(out, "  %-22s %s\n", "--help", "Print this and end.");
}
