/*
 * server.c - how the engine acts on the simulated world.
 *
 * Jobs and persists end as later events: at once in virtual time, or, when they are deferred, in
 * random order. A persist is durable from its event on.
 */
#include <inttypes.h>

#include "state.h"

enum { DEFERRED_MS = 40 };

static uint64_t end_us(struct cnv_sim *sim)
{
    return sim->now_us + (sim->faults.defers_jobs ? sim_draw_us(sim, DEFERRED_MS) : 0);
}

static size_t server_send(void *self,
                          cnv_peer_id peer,
                          enum cnv_channel channel,
                          const struct cnv_message *message,
                          struct cnv_blob *blob,
                          size_t offset,
                          size_t len)
{
    struct cnv_sim *sim = self;

    if (peer == 0 || peer > sim->link_count || sim->links[peer - 1].channel != channel) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "the server sends %s to peer %" PRIu64 " on the wrong channel",
                 cnv_kind_name(message->kind),
                 peer);
        return 0;
    }
    if (message->kind == CNV_KIND_COMMIT && message->commit.version > sim->persisted) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "promise 1: version %" PRIu64 " is told before it is durable",
                 message->commit.version);
    }
    return sim_network_send(sim, peer, false, message, blob, offset, len);
}

static void server_submit(void *self, struct cnv_job *job)
{
    struct cnv_sim *sim = self;
    struct sim_event event = { .kind = SIM_EVENT_JOB, .subject = job };

    sim_put(sim, end_us(sim), &event);
}

static void server_persist(void *self, const struct cnv_engine_record *record)
{
    struct cnv_sim *sim = self;
    struct sim_event event = { .kind = SIM_EVENT_PERSISTED, .number = record->version };

    sim_put(sim, end_us(sim), &event);
}

static void server_drop(void *self, cnv_peer_id peer)
{
    (void) self;
    (void) peer;
}

static void server_note(void *self, const struct cnv_engine_note *note)
{
    struct cnv_sim *sim = self;

    if (sim->setup.trace != NULL) {
        (void) fprintf(sim->setup.trace,
                       "%10.3f server: %s%s%s (round %" PRIu64 ", version %" PRIu64 ")\n",
                       (double) sim->now_us / 1e6,
                       note->member == NULL ? "" : note->member,
                       note->member == NULL ? "" : ": ",
                       note->text,
                       note->round,
                       note->version);
    }
    if (sim->setup.note != NULL) {
        sim->setup.note(sim->setup.self, note);
    }
}

struct cnv_engine_io sim_server_io(struct cnv_sim *sim)
{
    return (struct cnv_engine_io){
        .self = sim,
        .send = server_send,
        .submit = server_submit,
        .persist = server_persist,
        .drop = server_drop,
        .note = server_note,
    };
}
