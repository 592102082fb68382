/*
 * zap.h - answers libzmq's question "may this key connect?" in the loop, from an allow list.
 *
 * Every connection with a listed key is let in, and its messages carry the name the key is bound
 * to as their User-Id (zmq_msg_gets). Open it before the sockets it guards are bound, and close it
 * after them. Source: ZeroMQ RFC 27 (ZAP).
 */
#ifndef CNV_LOOP_ZAP_H
#define CNV_LOOP_ZAP_H

#include <stdbool.h>
#include <uv.h>

#include "base/status.h"
#include "net/certificate.h"

struct cnv_zap;

/* Called for every key that was asked about. name is NULL if it was refused; text is what went
 * wrong with the list, or NULL. Pointers are borrowed. */
typedef void (*cnv_zap_asked_fn)(void *self,
                                 const char *address,
                                 const char *name,
                                 const char *text);

/*
 * Serves the context's ZAP endpoint. allow (borrowed) is refreshed before each answer. asked may be
 * NULL. CNV_E_SYSTEM: the context has one already. CNV_E_NOMEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_zap_new(uv_loop_t *loop,
                                           void *context,
                                           struct cnv_allow *allow,
                                           cnv_zap_asked_fn asked,
                                           void *self,
                                           struct cnv_zap **ret_zap,
                                           struct cnv_error *err);

/* NULL is fine, and then closed is not called. */
void cnv_zap_close(struct cnv_zap *zap, void (*closed)(void *hint), void *hint);

#endif
