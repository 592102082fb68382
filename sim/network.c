/*
 * network.c - packets between agents and server.
 *
 * Happy path: encoded, on its way for a while, decoded, handed over; in order within a channel.
 * What goes wrong: it vanishes, comes twice, is overtaken; the sender is told that nothing was
 * queued; the link is cut, then everything under way on it is lost, and the agent comes back
 * under another peer id. Payloads arrive at odd addresses when checks are on, as from a socket.
 */
#include <string.h>

#include "base/mem.h"
#include "state.h"

cnv_peer_id sim_link_open(struct cnv_sim *sim, size_t agent, enum cnv_channel channel)
{
    if (sim->link_count == sim->link_capacity) {
        size_t capacity = sim->link_capacity == 0 ? 64 : 2 * sim->link_capacity;
        struct sim_link *links =
            cnv_array_resize(sim->links, sim->link_count, capacity, sizeof(*links));

        if (links == NULL) {
            sim_fail(sim, CNV_E_NOMEM, "%zu links", capacity);
            return 0;
        }
        sim->links = links;
        sim->link_capacity = capacity;
    }
    sim->links[sim->link_count] = (struct sim_link){
        .agent = agent,
        .life = sim->agents[agent]->life,
        .channel = channel,
    };
    return ++sim->link_count;
}

static struct sim_link *link_of(struct cnv_sim *sim, cnv_peer_id peer)
{
    return &sim->links[peer - 1];
}

void sim_link_close(struct cnv_sim *sim, cnv_peer_id peer, bool is_flushed)
{
    struct sim_event gone = { .kind = SIM_EVENT_GONE, .number = peer };
    uint64_t at_us = sim->now_us;

    if (peer == 0 || link_of(sim, peer)->is_closed) {
        return;
    }
    struct sim_link *link = link_of(sim, peer);
    link->is_closed = true;
    link->is_cut = !is_flushed;
    if (is_flushed && link->last_us[true] > at_us) {
        at_us = link->last_us[true];
    }
    if (!sim_happens(sim, sim->faults.notice_ms > 0 ? 0.2 : 0)) {
        sim_put(sim, at_us + sim_draw_us(sim, sim->faults.notice_ms), &gone);
    }
}

void sim_link_gone(struct cnv_sim *sim, cnv_peer_id peer)
{
    link_of(sim, peer)->is_gone = true;
    cnv_engine_gone(sim->engine, sim->now_us / 1000, peer);
}

/* --- Sending ------------------------------------------------------------------------------ */

static void trace(struct cnv_sim *sim,
                  const struct sim_link *link,
                  bool is_to_server,
                  const char *fate,
                  const struct cnv_message *message,
                  size_t len)
{
    char text[512];

    if (sim->setup.trace != NULL) {
        (void) fprintf(sim->setup.trace,
                       "%10.3f %s.%u %s %s%s + %zu bytes%s\n",
                       (double) sim->now_us / 1e6,
                       sim->agents[link->agent]->name,
                       link->life,
                       is_to_server ? "->" : "<-",
                       link->channel == CNV_BULK ? "bulk " : "",
                       cnv_message_dump(message, text, sizeof(text)),
                       len,
                       fate);
    }
}

static void free_bytes(void *hint)
{
    cnv_free(hint);
}

static void unref_blob(void *hint)
{
    cnv_blob_unref(hint);
}

/* A copy whose numbers lie at no alignment at all; without checks the bytes themselves. */
static struct cnv_blob *
payload_new(struct cnv_sim *sim, struct cnv_blob *blob, size_t offset, size_t len)
{
    struct cnv_blob *payload = NULL;

    if (sim->promises == NULL) {
        payload = cnv_blob_wrap(cnv_blob_data(blob) + offset, len, unref_blob, cnv_blob_ref(blob));
        if (payload == NULL) {
            cnv_blob_unref(blob);
        }
        return payload;
    }
    uint8_t *bytes = cnv_array_new(len + 1, 1);
    if (bytes == NULL) {
        return NULL;
    }
    memcpy(bytes + 1, cnv_blob_data(blob) + offset, len);
    payload = cnv_blob_wrap(bytes + 1, len, free_bytes, bytes);
    if (payload == NULL) {
        cnv_free(bytes);
    }
    return payload;
}

void sim_packet_destroy(struct cnv_sim *sim, struct sim_packet *packet)
{
    if (packet != NULL) {
        sim->payloads -= packet->payload != NULL ? 1 : 0;
        cnv_blob_unref(packet->payload);
        cnv_free(packet->header);
        cnv_free(packet);
    }
}

static struct sim_packet *packet_new(struct cnv_sim *sim,
                                     const struct cnv_message *message,
                                     struct cnv_blob *blob,
                                     size_t offset,
                                     size_t len)
{
    uint8_t header[CNV_HEADER_MAX];
    struct sim_packet *packet = cnv_object_new(struct sim_packet);

    if (packet == NULL) {
        return NULL;
    }
    packet->header_len = cnv_message_encode(message, header, sizeof(header));
    packet->header = cnv_array_new(packet->header_len, 1);
    if (blob != NULL) {
        packet->payload = payload_new(sim, blob, offset, len);
        sim->payloads += packet->payload != NULL ? 1 : 0;
    }
    if (packet->header == NULL || (blob != NULL && packet->payload == NULL)) {
        sim_packet_destroy(sim, packet);
        return NULL;
    }
    memcpy(packet->header, header, packet->header_len);
    return packet;
}

/* Now and then cuts the header short, or turns a byte of a vector: what carries a checksum. */
static void damage(struct cnv_sim *sim, enum cnv_kind kind, struct sim_packet *packet)
{
    bool is_vector = kind == CNV_KIND_OFFER || kind == CNV_KIND_CHUNK || kind == CNV_KIND_SETTLED ||
                     kind == CNV_KIND_COMMIT;

    if (!sim_happens(sim, sim->faults.damage)) {
        return;
    }
    sim->tally.damaged++;
    packet->is_damaged = true;
    if (is_vector && packet->payload != NULL && sim->promises != NULL) {
        size_t len = cnv_blob_len(packet->payload);
        struct cnv_blob *turned = cnv_blob_copy(cnv_blob_data(packet->payload), len);

        if (turned != NULL) {
            cnv_blob_edit(turned)[cnv_rng_below(&sim->rng, len)] ^= 1;
            cnv_blob_unref(packet->payload);
            packet->payload = turned;
        }
    } else {
        packet->header_len = (size_t) cnv_rng_below(&sim->rng, packet->header_len);
    }
}

static uint64_t arrival_us(struct cnv_sim *sim, struct sim_link *link, bool is_to_server)
{
    uint64_t at_us = sim->now_us + sim_draw_us(sim, sim->faults.delay_ms);

    if (sim_happens(sim, sim->faults.reorder)) {
        return at_us;
    }
    if (at_us < link->last_us[is_to_server]) {
        at_us = link->last_us[is_to_server];
    }
    link->last_us[is_to_server] = at_us;
    return at_us;
}

size_t sim_network_send(struct cnv_sim *sim,
                        cnv_peer_id peer,
                        bool is_to_server,
                        const struct cnv_message *message,
                        struct cnv_blob *blob,
                        size_t offset,
                        size_t len)
{
    size_t bytes = 0;

    if (peer == 0 || peer > sim->link_count) {
        sim_fail(sim,
                 CNV_E_UNEXPECTED,
                 "a message for peer %llu, which never was",
                 (unsigned long long) peer);
        return 0;
    }
    struct sim_link *link = link_of(sim, peer);
    if (sim->promises != NULL && link->life == sim->agents[link->agent]->life) {
        sim_promises_transfer(sim, sim->agents[link->agent], is_to_server, true, message);
    }
    if (link->is_gone || sim_happens(sim, sim->faults.loss / 4)) {
        trace(sim, link, is_to_server, " REFUSED", message, len);
        return 0;
    }
    for (int copies = sim_happens(sim, sim->faults.duplicate) ? 2 : 1; copies > 0; copies--) {
        bool is_lost = link->is_closed || sim_happens(sim, sim->faults.loss);
        struct sim_packet *packet = packet_new(sim, message, blob, offset, len);

        if (packet == NULL) {
            sim_fail(sim, CNV_E_NOMEM, "packet");
            return 0;
        }
        bytes = packet->header_len + len;
        trace(sim, link, is_to_server, is_lost ? " LOST" : "", message, len);
        if (is_lost) {
            sim->tally.lost++;
            sim_packet_destroy(sim, packet);
            continue;
        }
        damage(sim, message->kind, packet);
        packet->peer = peer;
        packet->is_to_server = is_to_server;
        struct sim_event event = { .kind = SIM_EVENT_PACKET, .subject = packet };
        sim_put(sim, arrival_us(sim, link, is_to_server), &event);
    }
    return bytes;
}

/* --- Arriving ----------------------------------------------------------------------------- */

static enum cnv_status decode(struct cnv_sim *sim,
                              const struct sim_packet *packet,
                              struct cnv_message *message,
                              struct cnv_error *err)
{
    enum cnv_status status = cnv_message_decode(packet->header, packet->header_len, message, err);

    if (status != CNV_OK && !packet->is_damaged) {
        sim_fail(sim, status, "a header does not survive the codec: %s", err->text);
    }
    return status;
}

void sim_network_receive(struct cnv_sim *sim, struct sim_agent *agent, struct sim_packet *packet)
{
    struct cnv_message message;
    struct cnv_error err = { 0 };

    if (decode(sim, packet, &message, &err) == CNV_OK) {
        if (sim->promises != NULL) {
            sim_promises_transfer(sim, agent, false, false, &message);
        }
        agent->is_replaced |= message.kind == CNV_KIND_REPLACED;
        cnv_session_receive(agent->session,
                            sim->now_us / 1000,
                            link_of(sim, packet->peer)->channel,
                            &message,
                            packet->payload);
        if (sim->promises != NULL) {
            sim_promises_session(sim, agent);
        }
    }
    sim_packet_destroy(sim, packet);
}

static void
deliver_to_server(struct cnv_sim *sim, const struct sim_link *link, struct sim_packet *packet)
{
    struct sim_agent *agent = sim->agents[link->agent];
    struct cnv_message message;
    struct cnv_error err = { 0 };
    enum cnv_status status = decode(sim, packet, &message, &err);

    if (status != CNV_OK) {
        cnv_engine_malformed(
            sim->engine, sim->now_us / 1000, packet->peer, link->channel, status, &err);
    } else {
        if (message.kind == CNV_KIND_CHUNK) {
            agent->chunks_up++;
        }
        if (sim->promises != NULL && link->life == agent->life) {
            sim_promises_transfer(sim, agent, true, false, &message);
        }
        cnv_engine_receive(sim->engine,
                           sim->now_us / 1000,
                           packet->peer,
                           link->channel,
                           NULL,
                           &message,
                           packet->payload,
                           packet->header_len + cnv_blob_len(packet->payload));
    }
    sim_packet_destroy(sim, packet);
}

void sim_network_deliver(struct cnv_sim *sim, struct sim_packet *packet)
{
    const struct sim_link *link = link_of(sim, packet->peer);
    struct sim_agent *agent = sim->agents[link->agent];

    if (link->is_cut || (link->is_closed && !packet->is_to_server)) {
        sim_packet_destroy(sim, packet);
    } else if (packet->is_to_server) {
        deliver_to_server(sim, link, packet);
    } else if (agent->is_frozen) {
        packet->next = NULL;
        *agent->inbox_end = packet;
        agent->inbox_end = &packet->next;
    } else {
        sim_network_receive(sim, agent, packet);
    }
}
