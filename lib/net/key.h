/* key.h - what certificate.c and allow.c share. */
#ifndef CNV_NET_KEY_H
#define CNV_NET_KEY_H

#include <stdbool.h>

/* 40 characters that decode as Z85. */
bool cnv_key_is_valid(const char *key);

/* Cuts blanks and line ends at both sides, in place. */
char *cnv_line_trim(char *text);

#endif
