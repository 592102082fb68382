/* desk.c - see desk.h. */
#include "desk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "proto/vector.h"

static size_t desk_send(void *self,
                        enum cnv_channel channel,
                        const struct cnv_message *message,
                        struct cnv_blob *blob,
                        size_t offset,
                        size_t len)
{
    struct desk *desk = self;

    if (desk->is_bulk_full && channel == CNV_BULK) {
        return 0;
    }
    cr_assert_lt(desk->sent, NOTES);
    desk->messages[desk->sent] = *message;
    desk->channels[desk->sent] = channel;
    desk->lens[desk->sent] = len;
    if (blob != NULL) {
        cr_assert_leq(offset + len, cnv_blob_len(blob));
        memcpy(desk->first[desk->sent], cnv_blob_data(blob) + offset, len < 16 ? len : 16);
    }
    desk->sent++;
    return 1 + len;
}

static void desk_deliver(void *self, convene_event *event)
{
    struct desk *desk = self;

    cr_assert_lt(desk->events, NOTES);
    desk->event[desk->events++] = event;
}

static void desk_reconnect(void *self)
{
    ((struct desk *) self)->reconnects++;
}

enum cnv_status desk_try_open(struct desk *desk, const char *role)
{
    return desk_try_stay(desk, role, CONVENE_STAY_RUN);
}

enum cnv_status desk_try_stay(struct desk *desk, const char *role, convene_stay stay)
{
    struct cnv_session_setup setup = { .name = "a1",
                                       .host = "h",
                                       .role = role,
                                       .instance = 5,
                                       .cores = 2,
                                       .shard = 1,
                                       .shards = 2,
                                       .stay = stay };
    struct cnv_session_io io = {
        .self = desk, .send = desk_send, .deliver = desk_deliver, .reconnect = desk_reconnect
    };

    desk->now = 1000;
    return cnv_session_new(&setup, &io, desk->now, &desk->session, NULL);
}

void desk_clear(struct desk *desk)
{
    for (size_t i = 0; i < desk->events; i++) {
        convene_event_release(desk->event[i]);
    }
    desk->events = 0;
    desk->sent = 0;
}

void desk_close(struct desk *desk)
{
    desk_clear(desk);
    cnv_session_destroy(desk->session);
    cr_assert_eq(cnv_blob_alive(), 0);
    cnv_free(desk);
}

const struct cnv_message *desk_said(const struct desk *desk, enum cnv_kind kind, size_t i)
{
    for (size_t at = 0; at < desk->sent; at++) {
        if (desk->messages[at].kind == kind && i-- == 0) {
            return &desk->messages[at];
        }
    }
    cr_assert_fail("no such %s was sent", cnv_kind_name(kind));
    return NULL;
}

size_t desk_count(const struct desk *desk, enum cnv_kind kind)
{
    size_t count = 0;

    for (size_t at = 0; at < desk->sent; at++) {
        count += desk->messages[at].kind == kind ? 1 : 0;
    }
    return count;
}

void hear(struct desk *desk, const struct cnv_message *message, const void *bytes, size_t len)
{
    struct cnv_blob *payload = bytes == NULL ? NULL : cnv_blob_copy(bytes, len);
    enum cnv_channel channel = message->kind == CNV_KIND_CHUNK ? CNV_BULK : CNV_DATA;

    cnv_session_receive(desk->session, desk->now, channel, message, payload);
    cnv_blob_unref(payload);
}

void tick(struct desk *desk, uint64_t ms)
{
    desk->now += ms;
    cnv_session_tick(desk->session, desk->now);
}

const char spec_f64[] = "run/seed=1\nencoding/up=f64\nencoding/down=f64\n";

void hear_welcome_of(struct desk *desk, uint64_t run, uint64_t incarnation, const char *spec)
{
    struct cnv_message message = { .kind = CNV_KIND_WELCOME };

    message.welcome = (struct cnv_msg_welcome){
        .run = run,
        .run_name = "r",
        .server = 9,
        .incarnation = incarnation,
        .token = 100 + incarnation,
        .shard = 1,
        .shards = 2,
        .heartbeat_ms = BEAT,
        .patience_ms = PATIENCE,
        .chunk_bytes = CHUNK,
        .window = WINDOW,
        .bulk = "inproc://bulk",
    };
    hear(desk, &message, spec, strlen(spec));
}

void hear_shape(struct desk *desk)
{
    struct cnv_message message = { .kind = CNV_KIND_SHAPE };
    double labels[2] = { -1, 1 };

    message.shape = (struct cnv_msg_shape){ .features = 3, .labels = 2, .rows = 20 };
    hear(desk, &message, labels, sizeof(labels));
}

struct cnv_msg_commit commit_of(uint64_t version, const double *model, size_t length)
{
    const struct cnv_encoding_ops *f64 = cnv_encoding_find("f64");

    return (struct cnv_msg_commit){
        .run = RUN,
        .round = version,
        .version = version,
        .iteration = 3 * version,
        .contributors = 2,
        .counted = true,
        .encoding = "f64",
        .length = length,
        .bytes = length * 8,
        .digest = cnv_vector_digest(f64, (const uint8_t *) model, length),
        .width = 1,
    };
}

void hear_commit(struct desk *desk, uint64_t version, const double *model, size_t length)
{
    struct cnv_message message = { .kind = CNV_KIND_COMMIT };

    message.commit = commit_of(version, model, length);
    hear(desk, &message, model, length * 8);
}

void hear_announce(
    struct desk *desk, uint64_t round, uint64_t attempt, uint64_t version, const char *plan)
{
    struct cnv_message message = { .kind = CNV_KIND_ANNOUNCE };

    message.announce = (struct cnv_msg_announce){
        .smoothness = 2.5,
        .run = RUN,
        .round = round,
        .attempt = attempt,
        .version = version,
        .iteration = 3 * version,
        .local_steps = 3,
        .solver = "newton",
    };
    (void) snprintf(message.announce.plan, sizeof(message.announce.plan), "%s", plan);
    hear(desk, &message, NULL, 0);
}

void hear_credit(struct desk *desk, const struct cnv_msg_credit *credit)
{
    struct cnv_message message = { .kind = CNV_KIND_CREDIT, .credit = *credit };

    hear(desk, &message, NULL, 0);
}

void hear_chunk(
    struct desk *desk, uint64_t transfer, uint64_t index, const void *vector, size_t bytes)
{
    struct cnv_message message = { .kind = CNV_KIND_CHUNK };
    const uint8_t *at = (const uint8_t *) vector + index * CHUNK;
    size_t len = cnv_chunk_len(bytes, CHUNK, index);

    message.chunk = (struct cnv_msg_chunk){ .transfer = transfer,
                                            .index = index,
                                            .crc = cnv_crc32c(0, at, len) };
    hear(desk, &message, at, len);
}

void contribute(
    struct desk *desk, uint64_t round, uint64_t attempt, const double *values, size_t length)
{
    convene_contribution contribution = { .round = round,
                                          .attempt = attempt,
                                          .values = values,
                                          .length = length,
                                          .samples = 10,
                                          .steps = 3,
                                          .scalars = { 0.5 },
                                          .scalar_count = 1 };

    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, NULL), CNV_OK);
}

struct desk *desk_new(const char *role)
{
    struct desk *desk = cnv_object_new(struct desk);

    cr_assert_eq(desk_try_open(desk, role), CNV_OK);
    cnv_session_connected(desk->session, desk->now);
    return desk;
}

struct desk *member_new(const double *model, size_t length)
{
    struct desk *desk = desk_new("worker");
    double labels[2] = { -1, 1 };
    convene_data data = { .rows = 10, .features = 3, .labels = labels, .label_count = 2 };

    hear_welcome_of(desk, RUN, 1, spec_f64);
    cr_assert_eq(cnv_session_loaded(desk->session, desk->now, &data), CNV_OK);
    hear_shape(desk);
    cr_assert_eq(cnv_session_ready(desk->session, desk->now, length, 0), CNV_OK);
    hear_commit(desk, 1, model, length);
    return desk;
}

double small[3] = { 0.5, -1, 2 };

const double *big_vector(double seed)
{
    static double vector[BIG];

    for (size_t i = 0; i < BIG; i++) {
        vector[i] = seed + (double) i;
    }
    return vector;
}
