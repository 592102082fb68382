/* status.c - names, texts and scopes of the one list of failures. */
#include "base/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct status_row {
    enum cnv_status status;
    enum cnv_scope scope;
    const char *name;
    const char *text;
};

static const struct status_row status_rows[] = {
#define CNV_STATUS_ROW(symbol, number, scope, name, text) { symbol, CNV_SCOPE_##scope, name, text },
    CNV_STATUS_LIST(CNV_STATUS_ROW)
#undef CNV_STATUS_ROW
};

static const struct status_row *status_find(enum cnv_status status)
{
    static const struct status_row ok = { CNV_OK, CNV_SCOPE_NONE, "ok", "done" };
    static const struct status_row unknown = { CNV_OK, CNV_SCOPE_PEER, "unknown", "unknown" };

    if (status == CNV_OK) {
        return &ok;
    }
    for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++) {
        if (status_rows[i].status == status) {
            return &status_rows[i];
        }
    }
    return &unknown;
}

enum cnv_status cnv_fail(struct cnv_error *err, enum cnv_status status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;

        va_start(args, format);
        err->status = status;
        (void) vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return status;
}

const char *cnv_status_name(enum cnv_status status)
{
    return status_find(status)->name;
}

const char *cnv_status_text(enum cnv_status status)
{
    return status_find(status)->text;
}

enum cnv_scope cnv_status_scope(enum cnv_status status)
{
    return status_find(status)->scope;
}

enum cnv_exit cnv_status_exit(enum cnv_status status)
{
    if (status == CNV_OK) {
        return CNV_EXIT_DONE;
    }
    if (status == CNV_E_INPUT) {
        return CNV_EXIT_USAGE;
    }
    if (status == CNV_E_TIMEOUT) {
        return CNV_EXIT_TIMEOUT;
    }
    if (status == CNV_E_UNREACHABLE || cnv_status_scope(status) == CNV_SCOPE_PEER) {
        return CNV_EXIT_REFUSED;
    }
    return CNV_EXIT_FAILED;
}
