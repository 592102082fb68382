/* request.h - what the commands that ask a daemon have in common: options, asking, --json. */
#ifndef CNV_CLI_REQUEST_H
#define CNV_CLI_REQUEST_H

#include <jansson.h>
#include <stdio.h>

#include "base/blob.h"
#include "command.h"
#include "control.h"

/* Begins the argument struct of every command that asks a daemon. */
struct cnv_request {
    const char *control; /* NULL: CONVENE_CONTROL, then the default */
    const char *join;    /* NULL: no keys */
    double timeout;      /* s; 0: the default of 5 */
    bool json;
    const char *payload; /* of the question; NULL: none */
};

/* Rows for the option tables; struct cnv_request is the first member of the args. */
/* clang-format off */
#define CNV_REQUEST_OPTIONS                                                                         \
    { "control", CNV_OPTION_TEXT, offsetof(struct cnv_request, control), "ENDPOINT",                \
      "The daemon's control socket [CONVENE_CONTROL, or this user's default]." },                   \
    { "join", CNV_OPTION_TEXT, offsetof(struct cnv_request, join), "FILE",                          \
      "Operator's join file, for a control socket on TCP that asks for keys." },                    \
    { "timeout", CNV_OPTION_SECONDS, offsetof(struct cnv_request, timeout), "S",                    \
      "Give up after so many seconds [5]." }
#define CNV_REQUEST_JSON                                                                            \
    { "json", CNV_OPTION_FLAG, offsetof(struct cnv_request, json), NULL,                            \
      "Print the daemon's answer as one JSON envelope." }
/* clang-format on */

/* Opens the connection that the options name; the caller closes it. */
CNV_MUST_CHECK enum cnv_status cnv_request_open(const struct cnv_request *request,
                                                struct cnv_control **ret_control,
                                                struct cnv_error *err);

/* How long one call may take. */
int64_t cnv_request_timeout_ms(const struct cnv_request *request);

/* Asks and gives the raw answer, the caller's to unref. On failure has printed it: *ret_code. */
bool cnv_request_ask(const struct cnv_command *command,
                     const struct cnv_request *request,
                     const char *question,
                     const char *argument,
                     struct cnv_blob **ret_body,
                     enum cnv_exit *ret_code);

/* Asks for JSON; with --json prints it as it came, else hands data to show. */
enum cnv_exit cnv_request_show(const struct cnv_command *command,
                               const struct cnv_request *request,
                               const char *question,
                               const char *argument,
                               void (*show)(const json_t *data, FILE *out));

#endif
