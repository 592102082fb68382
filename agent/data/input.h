/* input.h - the bytes of a file, unpacked as they are read: plain, gzip or xz, told by content. */
#ifndef CNV_AGENT_DATA_INPUT_H
#define CNV_AGENT_DATA_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct cnv_input;

/*
 * Opens a regular file. CNV_E_INPUT: it cannot be opened, is empty, or is packed in a way that is
 * not supported. The path is copied.
 */
CNV_MUST_CHECK enum cnv_status
cnv_input_open(const char *path, struct cnv_input **ret_input, struct cnv_error *err);

/*
 * The next bytes, unpacked: between 1 and size of them, or 0 at the end. CNV_E_INPUT: the packed
 * data is damaged or ends early; CNV_E_SYSTEM: reading failed.
 */
CNV_MUST_CHECK enum cnv_status cnv_input_read(
    struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err);

/* As above, but less than size bytes only at the end. */
CNV_MUST_CHECK enum cnv_status cnv_input_read_all(
    struct cnv_input *input, void *bytes, size_t size, size_t *ret_len, struct cnv_error *err);

/* Back to the start. Errors as of cnv_input_open. */
CNV_MUST_CHECK enum cnv_status cnv_input_rewind(struct cnv_input *input, struct cnv_error *err);

/* The path for messages: a long one is cut at its front. Borrowed. */
const char *cnv_input_name(const struct cnv_input *input);

/* NULL is fine. */
void cnv_input_close(struct cnv_input *input);

enum { CNV_INPUT_SHOWN_SIZE = 44 };

/* Bytes found in a file, for messages: up to the first blank and at most 40 of them, what is not
 * printable ASCII as '?'; into ret_text[CNV_INPUT_SHOWN_SIZE]. */
void cnv_input_show(const char *found, char *ret_text);

#endif
