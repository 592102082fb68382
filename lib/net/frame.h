/*
 * frame.h - blobs as ZeroMQ frames and back, without copying what is large.
 *
 * libzmq lets go of a sent frame on a thread of its own: only atomic counts are touched there.
 * How many bytes it still holds is counted, because a peer that stopped reading pins them for as
 * long as its connection lives.
 */
#ifndef CNV_NET_FRAME_H
#define CNV_NET_FRAME_H

#include <stdatomic.h>
#include <stddef.h>
#include <zmq.h>

#include "base/blob.h"
#include "base/status.h"

/* Smaller pieces are copied: a copy costs less than the count. */
enum { CNV_FRAME_COPY_BELOW = 65536 };

/* Bytes of blobs that libzmq holds. Must outlive the context its frames are sent in. */
struct cnv_pinned {
    _Atomic size_t bytes;
};

/*
 * Makes frame out of bytes [offset, offset + len) of blob, sharing it if that is worth while. On
 * success the frame is the caller's to send or close. CNV_E_NOMEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_frame_from_blob(
    zmq_msg_t *frame, struct cnv_blob *blob, size_t offset, size_t len, struct cnv_pinned *pinned);

/*
 * Moves a received frame into a blob: no copy, any alignment. frame is empty afterwards and must
 * still be closed. NULL when memory is out; frame is as it was.
 */
struct cnv_blob *cnv_frame_to_blob(zmq_msg_t *frame);

#endif
