/* log.h - one line an event to stderr: logfmt, or JSON on request. Only shells and mains log. */
#ifndef CNV_BASE_LOG_H
#define CNV_BASE_LOG_H

#include <stdbool.h>

#include "base/status.h"

enum cnv_log_level { CNV_LOG_ERROR, CNV_LOG_WARN, CNV_LOG_INFO, CNV_LOG_DEBUG };

/* Sets the process's level and form; the program's name is not copied. */
void cnv_log_open(const char *program, enum cnv_log_level level, bool json);

/* The level of that name as in log/level ("warn"); CNV_LOG_INFO for any other text. */
enum cnv_log_level cnv_log_level_find(const char *name);

/*
 * Writes "time=... level=info program=convened event=EVENT FIELDS".
 * format gives the fields as key=value pairs separated by blanks; a text value that may hold
 * blanks is written with cnv_log_quote.
 */
void cnv_log(enum cnv_log_level level, const char *event, const char *format, ...) CNV_PRINTF(3, 4);

/* text as a quoted logfmt value, in one of four buffers of the calling thread used in turn. */
const char *cnv_log_quote(const char *text);

#endif
