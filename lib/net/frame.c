/* frame.c - each pinned piece has a small record of its own, because libzmq gives back one pointer.
 */
#include "net/frame.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct pin {
    struct cnv_blob *blob;
    struct cnv_pinned *pinned;
    size_t len;
};

/* On libzmq's thread. */
static void pin_release(void *data, void *hint)
{
    struct pin *pin = hint;

    (void) data;
    atomic_fetch_sub_explicit(&pin->pinned->bytes, pin->len, memory_order_relaxed);
    cnv_blob_unref(pin->blob);
    cnv_free(pin);
}

static enum cnv_status frame_share(
    zmq_msg_t *frame, struct cnv_blob *blob, size_t offset, size_t len, struct cnv_pinned *pinned)
{
    /* libzmq takes a pointer to bytes it could write, and does not. */
    union {
        const uint8_t *in;
        void *out;
    } bytes = { .in = cnv_blob_data(blob) + offset };
    struct pin *pin = cnv_object_new(struct pin);

    if (pin == NULL) {
        return CNV_E_NOMEM;
    }
    *pin = (struct pin){ .blob = cnv_blob_ref(blob), .pinned = pinned, .len = len };
    atomic_fetch_add_explicit(&pinned->bytes, len, memory_order_relaxed);
    if (zmq_msg_init_data(frame, bytes.out, len, pin_release, pin) != 0) {
        pin_release(NULL, pin);
        return CNV_E_NOMEM;
    }
    return CNV_OK;
}

enum cnv_status cnv_frame_from_blob(
    zmq_msg_t *frame, struct cnv_blob *blob, size_t offset, size_t len, struct cnv_pinned *pinned)
{
    assert(offset <= cnv_blob_len(blob) && len <= cnv_blob_len(blob) - offset);
    if (len >= CNV_FRAME_COPY_BELOW) {
        return frame_share(frame, blob, offset, len, pinned);
    }
    if (zmq_msg_init_size(frame, len) != 0) {
        return CNV_E_NOMEM;
    }
    if (len > 0) {
        memcpy(zmq_msg_data(frame), cnv_blob_data(blob) + offset, len);
    }
    return CNV_OK;
}

static void frame_release(void *hint)
{
    (void) zmq_msg_close(hint);
    cnv_free(hint);
}

struct cnv_blob *cnv_frame_to_blob(zmq_msg_t *frame)
{
    zmq_msg_t *kept = cnv_object_new(zmq_msg_t);

    if (kept == NULL) {
        return NULL;
    }
    (void) zmq_msg_init(kept);
    if (zmq_msg_move(kept, frame) != 0) {
        frame_release(kept);
        return NULL;
    }
    struct cnv_blob *blob =
        cnv_blob_wrap(zmq_msg_data(kept), zmq_msg_size(kept), frame_release, kept);
    if (blob == NULL) {
        (void) zmq_msg_move(frame, kept);
        frame_release(kept);
    }
    return blob;
}
