/*
 * zap.c - one REP socket at inproc://zeromq.zap.01.
 *
 * Happy path: a request has seven frames (version, request id, domain, address, identity,
 * mechanism, key); the answer has six (version, request id, code, text, user id, metadata). The
 * peer's handshake waits for it, so it is given in the same callback. What can fail: the request
 * is odd or the key is not listed; both are answered with 400, and the connection is refused.
 */
#include "loop/zap.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/mem.h"
#include "loop/zsocket_watch.h"
#include "net/socket.h"

enum { ZAP_FRAMES = 7, ZAP_TEXT_SIZE = 256, ZAP_KEY_BYTES = 32 };

enum zap_frame {
    ZAP_VERSION,
    ZAP_REQUEST,
    ZAP_DOMAIN,
    ZAP_ADDRESS,
    ZAP_IDENTITY,
    ZAP_MECHANISM,
    ZAP_KEY
};

struct zap_request {
    size_t count; /* frames that came */
    size_t sizes[ZAP_FRAMES];
    uint8_t frames[ZAP_FRAMES][ZAP_TEXT_SIZE];
};

struct cnv_zap {
    struct cnv_watch *watch;
    struct cnv_allow *allow;
    cnv_zap_asked_fn asked;
    void *self;
    void (*closed)(void *hint);
    void *hint;
};

static void zap_receive(void *socket, struct zap_request *request)
{
    int more = 1;

    while (more != 0) {
        uint8_t spare[1];
        bool is_known = request->count < ZAP_FRAMES;
        int size = zmq_recv(socket,
                            is_known ? request->frames[request->count] : spare,
                            is_known ? ZAP_TEXT_SIZE - 1 : sizeof(spare),
                            ZMQ_DONTWAIT);
        size_t option_size = sizeof(more);

        if (size < 0) {
            return;
        }
        if (is_known) {
            /* A longer frame is cut, and then it is none of the values we compare with. */
            request->sizes[request->count] =
                size < ZAP_TEXT_SIZE ? (size_t) size : ZAP_TEXT_SIZE - 1;
        }
        request->count++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &option_size) != 0) {
            return;
        }
    }
}

static bool zap_is(const struct zap_request *request, enum zap_frame frame, const char *text)
{
    return request->sizes[frame] == strlen(text) &&
           memcmp(request->frames[frame], text, strlen(text)) == 0;
}

static void zap_answer(void *socket, const struct zap_request *request, const char *name)
{
    const char *code = name == NULL ? "400" : "200";
    const char *text = name == NULL ? "key is not allowed" : "";
    const char *user = name == NULL ? "" : name;

    (void) zmq_send(socket, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void) zmq_send(socket,
                    request->frames[ZAP_REQUEST],
                    request->sizes[ZAP_REQUEST],
                    ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void) zmq_send(socket, code, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void) zmq_send(socket, text, strlen(text), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void) zmq_send(socket, user, strlen(user), ZMQ_SNDMORE | ZMQ_DONTWAIT);
    (void) zmq_send(socket, "", 0, ZMQ_DONTWAIT);
}

static void zap_on_message(void *self, void *socket)
{
    struct cnv_zap *zap = self;
    struct zap_request request = { .count = 0 };
    struct cnv_error err = { .status = CNV_OK };
    const char *name = NULL;
    char key[CNV_KEY_SIZE];

    zap_receive(socket, &request);
    enum cnv_status status = cnv_allow_refresh(zap->allow, &err);
    if (request.count == ZAP_FRAMES && zap_is(&request, ZAP_VERSION, "1.0") &&
        zap_is(&request, ZAP_DOMAIN, CNV_ZAP_DOMAIN) && zap_is(&request, ZAP_MECHANISM, "CURVE") &&
        request.sizes[ZAP_KEY] == ZAP_KEY_BYTES &&
        zmq_z85_encode(key, request.frames[ZAP_KEY], ZAP_KEY_BYTES) != NULL) {
        name = cnv_allow_find(zap->allow, key);
    }
    zap_answer(socket, &request, name);
    if (zap->asked != NULL) {
        /* Sockets speak IPv6 too; an IPv4 peer then looks like ::ffff:1.2.3.4. */
        const char *address = (const char *) request.frames[ZAP_ADDRESS];

        zap->asked(zap->self,
                   strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address,
                   name,
                   status == CNV_OK ? NULL : err.text);
    }
}

enum cnv_status cnv_zap_new(uv_loop_t *loop,
                            void *context,
                            struct cnv_allow *allow,
                            cnv_zap_asked_fn asked,
                            void *self,
                            struct cnv_zap **ret_zap,
                            struct cnv_error *err)
{
    struct cnv_zap *zap = cnv_object_new(struct cnv_zap);
    void *socket = zmq_socket(context, ZMQ_REP);
    enum cnv_status status = CNV_OK;

    if (zap == NULL || socket == NULL) {
        status = cnv_fail(err, CNV_E_NOMEM, "answering for keys");
        goto fail;
    }
    *zap = (struct cnv_zap){ .allow = allow, .asked = asked, .self = self };
    if (zmq_bind(socket, "inproc://zeromq.zap.01") != 0) {
        status =
            cnv_fail(err, CNV_E_SYSTEM, "cannot answer for keys: %s", zmq_strerror(zmq_errno()));
        goto fail;
    }
    status = cnv_watch_new(loop, socket, zap_on_message, zap, &zap->watch, err);
    if (status != CNV_OK) {
        goto fail;
    }
    *ret_zap = zap;
    return CNV_OK;

fail:
    if (socket != NULL) {
        (void) zmq_close(socket);
    }
    cnv_free(zap);
    return status;
}

static void zap_closed(void *hint)
{
    struct cnv_zap *zap = hint;
    void (*closed)(void *hint) = zap->closed;
    void *closed_hint = zap->hint;

    cnv_free(zap);
    if (closed != NULL) {
        closed(closed_hint);
    }
}

void cnv_zap_close(struct cnv_zap *zap, void (*closed)(void *hint), void *hint)
{
    if (zap == NULL) {
        return;
    }
    zap->closed = closed;
    zap->hint = hint;
    cnv_watch_close(zap->watch, zap_closed, zap);
}
