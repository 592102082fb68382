/* number.h - decimal numbers of a text, correctly rounded and quickly. */
#ifndef CNV_AGENT_DATA_NUMBER_H
#define CNV_AGENT_DATA_NUMBER_H

#include <stdbool.h>

/*
 * Reads the number that starts at text: sign, digits with at most one point among them, exponent.
 * The text is ended by a zero byte; the number by whatever cannot belong to it. False: there is
 * no number, or it is too large for a double. Neither blanks, nor hexadecimal, nor nan and inf.
 */
bool cnv_number_parse(const char *text, const char **ret_end, double *ret_number);

#endif
