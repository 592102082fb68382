/* text.h - which bytes may stand in a text field: one line of UTF-8. */
#ifndef CNV_PROTO_TEXT_H
#define CNV_PROTO_TEXT_H

#include <stddef.h>

/* Bytes of text[0..len) up to the first that is not part of a printable UTF-8 character (control
 * characters, NUL among them, and over-long, surrogate or cut sequences); len when all are. */
size_t cnv_text_valid(const char *text, size_t len);

/* Puts a question mark for every other byte of text. */
void cnv_text_mend(char *text);

#endif
