/*
 * control.h - asks a daemon over its control socket and waits for the answer, never for longer
 * than told (proto/PROTOCOL.md, section 9).
 */
#ifndef CNV_CLI_CONTROL_H
#define CNV_CLI_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/status.h"
#include "client/joinfile.h"

struct cnv_control;

/*
 * Opens a connection to endpoint. CNV_E_INPUT: not an endpoint.
 *
 *   keys        for a control socket with CURVE: the operator's, and the server's; NULL: none
 *   is_patient  nobody listening there yet is no failure, calls wait for it
 */
CNV_MUST_CHECK enum cnv_status cnv_control_open(const char *endpoint,
                                                const struct cnv_joinfile *keys,
                                                bool is_patient,
                                                struct cnv_control **ret_control,
                                                struct cnv_error *err);
/* NULL is fine. */
void cnv_control_close(struct cnv_control *control);

/* The next call sends this text (borrowed until then) as the payload of its command. */
void cnv_control_attach(struct cnv_control *control, const char *text);

/*
 * Sends one command and waits for its reply.
 *
 *   ret_body  set whenever a reply came, also a refusal: the caller unrefs it
 *
 * CNV_E_UNREACHABLE: nobody answers there, or the daemon went away. CNV_E_TIMEOUT: connected, but
 * no reply in time (a later call ignores it when it comes after all). Any other failure is the
 * daemon's own.
 */
CNV_MUST_CHECK enum cnv_status cnv_control_call(struct cnv_control *control,
                                                const char *command,
                                                const char *argument,
                                                int64_t timeout_ms,
                                                struct cnv_blob **ret_body,
                                                struct cnv_error *err);

#endif
