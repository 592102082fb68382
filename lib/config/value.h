/* value.h - one value of the table: parsed strictly, and what is allowed for it in words. */
#ifndef CNV_CONFIG_VALUE_H
#define CNV_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/param.h"

enum { CNV_VALUE_SIZE = 256, CNV_ALLOWED_SIZE = 176, CNV_SHOWN_SIZE = 64 };

/*
 * Whether text is a value of param. A number goes to ret_number (0 or 1 for a boolean, NaN for
 * "1/n", 0 for choices and texts). Strict: no blanks, no hexadecimal, nothing behind the number.
 */
bool cnv_value_parse(const struct cnv_param *param, const char *text, double *ret_number);

/* "a whole number from 1 to 100000": what is allowed, into ret_text[CNV_ALLOWED_SIZE]. */
void cnv_value_allowed(const struct cnv_param *param, char *ret_text);

/* text for a message: at most 60 bytes, control characters as "?"; into
 * ret_text[CNV_SHOWN_SIZE]. */
void cnv_value_show(const char *text, char *ret_text);

/* The row of the table with that path, or NULL. */
const struct cnv_param *cnv_param_find(const char *path);

/* Whether the len bytes at name are the first word of some key. */
bool cnv_param_is_section(const char *name, size_t len);

/* Number of edits that turn a into b; both at most 255 bytes are looked at. */
size_t cnv_edit_distance(const char *a, const char *b);

/* The row whose path, or whose name behind the section, is nearest to path. */
const struct cnv_param *cnv_param_nearest(const char *path);

#endif
