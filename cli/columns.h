/* columns.h - text from elsewhere, fit for so many columns of a terminal. */
#ifndef CNV_CLI_COLUMNS_H
#define CNV_CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes what fits of text into columns and returns how many it took. Control characters, what is
 * no valid text, and without is_utf8 all beyond ASCII become '?'. is_utf8 asks for a locale
 * (LC_CTYPE) that is UTF-8, whose widths hold.
 */
size_t cnv_columns_put(FILE *out, const char *text, size_t columns, bool is_utf8);

#endif
