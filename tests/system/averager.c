/*
 * averager.c - an agent without data or a solver, for testing the daemon: contributes vectors whose
 * mean is known, and checks every committed model bit by bit.
 *
 *   averager SERVER|JOIN-FILE NAME SHARD SHARDS DIMENSION [some|nan]
 *
 * Agent k of N contributes k * (1 + i % 7) at coordinate i; each commit adds the mean over the
 * agents, (N + 1) / 2 * (1 + i % 7). With "some" the mean may be that of some of the agents; with
 * "nan" it contributes that. Exits 0 when the run has
 * finished and every model was right, 1 when not, 3 when it was refused.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/convene.h"

struct averager {
    convene_client *client;
    uint32_t shard;
    uint32_t shards;
    size_t dimension;
    bool may_lack_agents; /* the mean may be of some agents alone */
    double *values;
};

static void contribute(struct averager *self, const convene_event *event)
{
    convene_contribution contribution = {
        .round = event->round,
        .attempt = event->attempt,
        .values = self->values,
        .length = self->dimension,
        .samples = 1,
        .steps = event->local_steps,
        .scalar_count = event->evaluate ? 1 : 0,
    };

    if (strcmp(event->plan, "model") != 0) {
        contribution.values = NULL;
        contribution.length = 0;
    }
    if (convene_contribute(self->client, &contribution) != CONVENE_OK) {
        (void) fprintf(stderr, "averager %u: cannot contribute\n", self->shard);
    }
}

/* Is the model what version commits must have made of zeros? */
static bool model_is_right(const struct averager *self, const convene_event *event)
{
    double step = (double) event->version * ((double) self->shards + 1) / 2;

    if (self->may_lack_agents && event->length > 0) {
        step = event->values[0];
    }
    for (size_t i = 0; i < event->length; i++) {
        double expected = step * (double) (1 + i % 7);

        if (event->values[i] != expected) {
            (void) fprintf(stderr,
                           "averager %u: version %llu, coordinate %zu: %.17g, expected %.17g\n",
                           self->shard,
                           (unsigned long long) event->version,
                           i,
                           event->values[i],
                           expected);
            return false;
        }
    }
    return event->length == self->dimension;
}

/* One event; returns an exit code, or -1 to go on. */
static int handle(struct averager *self, const convene_event *event)
{
    switch (event->kind) {
    case CONVENE_WELCOME:
        (void) convene_loaded(self->client, &(convene_data){ .rows = 1, .features = 1 });
        return -1;
    case CONVENE_SHAPE:
        (void) convene_ready(self->client, self->dimension);
        return -1;
    case CONVENE_ROUND:
        contribute(self, event);
        return -1;
    case CONVENE_COMMIT:
        return model_is_right(self, event) ? -1 : 1;
    case CONVENE_ENDED: /* it does not stay */
    case CONVENE_FINISHED:
        return event->exit_code;
    case CONVENE_LOST:
        (void) fprintf(stderr, "averager %u: %s\n", self->shard, event->text);
        return 3;
    case CONVENE_REFUSED_CONTRIBUTION:
        (void) fprintf(stderr, "averager %u: %s\n", self->shard, event->text);
        return -1;
    case CONVENE_SETTLED:
        return -1;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct averager self = { .client = NULL };
    convene_error error;
    int code = -1;

    if (argc < 6) {
        (void) fprintf(stderr,
                       "usage: averager SERVER|JOIN-FILE NAME SHARD SHARDS DIMENSION [some|nan]\n");
        return 2;
    }
    self.shard = (uint32_t) strtoul(argv[3], NULL, 10);
    self.shards = (uint32_t) strtoul(argv[4], NULL, 10);
    self.dimension = strtoull(argv[5], NULL, 10);
    self.may_lack_agents = argc > 6 && strcmp(argv[6], "some") == 0;
    bool is_nan = argc > 6 && strcmp(argv[6], "nan") == 0;
    self.values = cnv_array_new(self.dimension, sizeof(*self.values));
    bool is_endpoint = strstr(argv[1], "://") != NULL;
    convene_options options = {
        .server = is_endpoint ? argv[1] : NULL,
        .name = is_endpoint ? argv[2] : NULL,
        .join_file = is_endpoint ? NULL : argv[1],
        .shard = self.shard,
        .shards = self.shards,
        .patience_ms = 10000,
    };
    if (self.values == NULL) {
        return 1;
    }
    for (size_t i = 0; i < self.dimension; i++) {
        self.values[i] = is_nan ? NAN : (double) self.shard * (double) (1 + i % 7);
    }
    convene_result result = convene_join(&options, &self.client, &error);
    if (result != CONVENE_OK) {
        (void) fprintf(stderr, "averager: %s\n", error.text);
        code = (int) result;
    }
    while (code < 0) {
        convene_event *event = NULL;

        if (convene_wait(self.client, -1, &event) != CONVENE_OK) {
            code = 1;
            break;
        }
        code = handle(&self, event);
        convene_event_release(event);
    }
    convene_leave(self.client, "done");
    cnv_free(self.values);
    return code;
}
