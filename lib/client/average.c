/*
 * average.c - convene_begin and convene_average: a run as a plain loop, for rounds of one
 * averaging.
 *
 * Happy path: begin waits for ROUND, average contributes the update and waits for COMMIT and the
 * next ROUND. What else comes: rounds that only ask for a loss (answered with none), a new attempt
 * of the round in hand (the same update is sent again: it is relative to the same model), a
 * contribution that came too late or was refused (the next round's model replaces ours).
 * Invariant: base is the ROUND whose model the caller's values started from.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/client.h"

static convene_result fail(convene_error *error, convene_result result, const char *text)
{
    if (error != NULL) {
        error->result = result;
        (void) snprintf(error->text, sizeof(error->text), "%s", text);
    }
    return result;
}

/* What follow() found. */
struct step {
    bool is_done; /* result and local_steps are for the caller */
    convene_result result;
    uint32_t local_steps;
};

static convene_result send_update(convene_client *client, size_t length, uint64_t samples)
{
    const convene_event *round = client->base;
    convene_contribution contribution = {
        .round = round->round,
        .attempt = round->attempt,
        .values = client->update,
        .length = length,
        .samples = samples,
        .steps = round->local_steps,
    };

    return convene_contribute(client, &contribution);
}

/* Tells a round that wants no model that we have no loss to offer. */
static convene_result
send_nothing(convene_client *client, const convene_event *round, uint64_t samples)
{
    convene_contribution contribution = {
        .round = round->round,
        .attempt = round->attempt,
        .samples = samples,
    };

    return convene_contribute(client, &contribution);
}

/* A round came. Keeps the event as the base where it is one of ours. */
static void take_round(convene_client *client,
                       convene_event *event,
                       double *values,
                       size_t length,
                       uint64_t samples,
                       bool is_sent,
                       struct step *step)
{
    if (strcmp(event->plan, "loss") == 0) {
        step->result = send_nothing(client, event, samples);
        step->is_done = step->result != CONVENE_OK;
        convene_event_release(event);
        return;
    }
    bool is_again =
        is_sent && event->round == client->base->round && event->version == client->base->version;
    convene_event_release(client->base);
    client->base = event;
    if (strcmp(event->plan, "model") != 0 || event->length != length) {
        (void) snprintf(
            client->reason,
            sizeof(client->reason),
            "round %llu has %zu coordinates and the exchanges %s; this loop has %zu and model",
            (unsigned long long) event->round,
            event->length,
            event->plan,
            length);
        step->result = CONVENE_FAILED;
        step->is_done = true;
    } else if (is_again) {
        step->result = send_update(client, length, samples);
        step->is_done = step->result != CONVENE_OK;
    } else {
        memcpy(values, event->values, length * sizeof(*values));
        step->local_steps = event->local_steps;
        step->is_done = true;
    }
}

/* Everything but rounds. */
static void take_other(convene_client *client,
                       const convene_event *event,
                       double *values,
                       size_t length,
                       struct step *step)
{
    convene_data data = { .rows = client->rows, .features = length };

    switch (event->kind) {
    case CONVENE_WELCOME:
        step->result = convene_loaded(client, &data);
        break;
    case CONVENE_SHAPE:
        step->result = convene_ready(client, length);
        break;
    case CONVENE_COMMIT:
        if (event->length == length) {
            memcpy(values, event->values, length * sizeof(*values));
        }
        break;
    case CONVENE_FINISHED:
    case CONVENE_ENDED:
        step->result = event->exit_code == 0 ? CONVENE_OK : CONVENE_FAILED;
        step->is_done = true;
        break;
    case CONVENE_LOST:
        step->result = event->result == CONVENE_OK ? CONVENE_FAILED : event->result;
        step->is_done = true;
        break;
    case CONVENE_ROUND:
    case CONVENE_SETTLED:
    case CONVENE_REFUSED_CONTRIBUTION:
        break;
    }
    if (step->result != CONVENE_OK) {
        step->is_done = true;
        if (event->kind == CONVENE_FINISHED || event->kind == CONVENE_ENDED ||
            event->kind == CONVENE_LOST) {
            (void) snprintf(client->reason, sizeof(client->reason), "%s", event->text);
        }
    }
}

/* Takes events until there is something for the caller to do. */
static convene_result follow(convene_client *client,
                             double *values,
                             size_t length,
                             uint64_t samples,
                             bool is_sent,
                             uint32_t *ret_local_steps,
                             convene_error *error)
{
    struct step step = { false, CONVENE_OK, 0 };

    while (!step.is_done) {
        convene_event *event = NULL;

        step.result = convene_wait(client, -1, &event);
        if (step.result != CONVENE_OK) {
            break;
        }
        if (event->kind == CONVENE_ROUND) {
            take_round(client, event, values, length, samples, is_sent, &step);
            continue;
        }
        take_other(client, event, values, length, &step);
        convene_event_release(event);
    }
    *ret_local_steps = step.local_steps;
    return fail(error, step.result, step.result == CONVENE_OK ? "" : client->reason);
}

convene_result convene_begin(convene_client *client,
                             double *values,
                             size_t length,
                             uint32_t *ret_local_steps,
                             convene_error *error)
{
    return follow(client, values, length, 0, false, ret_local_steps, error);
}

convene_result convene_average(convene_client *client,
                               double *values,
                               size_t length,
                               uint64_t samples,
                               uint32_t *ret_local_steps,
                               convene_error *error)
{
    if (samples > client->rows) {
        return fail(error,
                    CONVENE_USAGE,
                    "convene_average: samples are more than the rows of convene_options");
    }
    if (client->base == NULL || client->base->length != length || samples == 0) {
        return fail(
            error,
            CONVENE_USAGE,
            "convene_average comes after convene_begin, with the same length and samples >= 1");
    }
    if (client->update_length != length) {
        cnv_free(client->update);
        client->update = cnv_array_new(length, sizeof(*client->update));
        client->update_length = client->update == NULL ? 0 : length;
        if (client->update == NULL) {
            return fail(error, CONVENE_FAILED, "out of memory");
        }
    }
    for (size_t i = 0; i < length; i++) {
        client->update[i] = values[i] - client->base->values[i];
    }
    convene_result result = send_update(client, length, samples);
    if (result != CONVENE_OK) {
        return fail(error, result, client->reason);
    }
    return follow(client, values, length, samples, true, ret_local_steps, error);
}
