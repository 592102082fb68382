/*
 * options.h - command lines described by constant tables: one row gives parser and help.
 *
 * A row says where in the command's own struct the value goes, so that a command reads plain
 * members. Every option may be written "--name VALUE" or "--name=VALUE". Words without dashes go,
 * in their order, to the row whose name is "", a list; without such a row they are refused.
 */
#ifndef CNV_CLI_OPTIONS_H
#define CNV_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"

enum { CNV_OPTION_LIST_MAX = 64 };

enum cnv_option_type {
    CNV_OPTION_FLAG,    /* bool */
    CNV_OPTION_TEXT,    /* const char *, borrowed from the command line */
    CNV_OPTION_SECONDS, /* double, > 0 */
    CNV_OPTION_LIST,    /* struct cnv_option_list: may be given again and again */
};

struct cnv_option_list {
    size_t count;
    const char *at[CNV_OPTION_LIST_MAX];
};

struct cnv_option {
    const char *name; /* without the dashes; "": words; NULL ends the table */
    enum cnv_option_type type;
    size_t offset;     /* of the member in the command's struct */
    const char *value; /* what to call the value in the help; NULL for a flag */
    const char *text;  /* one sentence */
};

/*
 * Reads argv[0..argc) into args, laid out as the table says and filled with defaults by the caller.
 * *ret_help becomes true when --help or -h was met. CNV_E_INPUT names the word and what is allowed.
 */
CNV_MUST_CHECK enum cnv_status cnv_options_parse(const struct cnv_option *options,
                                                 int argc,
                                                 const char *const *argv,
                                                 void *args,
                                                 bool *ret_help,
                                                 struct cnv_error *err);

/* What the words are called in the usage line; "" where the table takes none. */
const char *cnv_options_words(const struct cnv_option *options);

/* The table as aligned lines for --help. */
void cnv_options_print(const struct cnv_option *options, FILE *out);

#endif
