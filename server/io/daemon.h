/*
 * daemon.h - the shell of convened: sockets, timers, signals and threads round one engine.
 *
 *   cnv_daemon_new (listens, logs where) -> cnv_daemon_run (until told to end) ->
 * cnv_daemon_destroy
 */
#ifndef CNV_SERVER_IO_DAEMON_H
#define CNV_SERVER_IO_DAEMON_H

#include "base/param.h"
#include "base/status.h"

struct cnv_daemon;

/*
 * Opens everything: certificate, allow list, sockets, engine, worker threads. config (borrowed for
 * the daemon's life) has passed cnv_config_check. CNV_E_INPUT: asked wrongly; CNV_E_SYSTEM: an
 * address in use, ...; CNV_E_NOMEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_daemon_new(const struct cnv_config *config,
                                              struct cnv_daemon **ret_daemon,
                                              struct cnv_error *err);

/* Serves until SIGTERM, SIGINT, the commands drain or stop, or, with run/linger=false, the end of
 * the run. CNV_EXIT_FAILED when the run has failed. */
enum cnv_exit cnv_daemon_run(struct cnv_daemon *daemon);

/* NULL is fine. */
void cnv_daemon_destroy(struct cnv_daemon *daemon);

#endif
