/* methods.h - the methods that are built in, from the same tables that run them. */
#ifndef CNV_CLI_METHODS_H
#define CNV_CLI_METHODS_H

#include <stdio.h>

/* A few lines each: name, sentence, paper, keys; for --help. */
void cnv_methods_print(FILE *out);

/* The reference page, in Markdown: every method with its paper and keys, then every key. */
void cnv_methods_reference(FILE *out);

#endif
