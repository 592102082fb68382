/*
 * places.c - which of the run's agents a member is, where the server optimiser has a table.
 *
 * A place goes with a part of the data: who takes a shard over takes its place over. With data of
 * one's own it goes with the name. There are run/agents places, and what an agent weighs is its
 * share in the rows of all of them, whoever answers. Shard k of run/agents has place k, unless
 * others with data of their own came first.
 * What can fail, for good: all places are taken; the rows are not as many as the place had before,
 * which would give it another weight than what the table was made with.
 * Invariant: no two members that may be in one round have the same place.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

bool cnv_places_new(struct cnv_engine *engine)
{
    if (engine->optimiser->table == NULL) {
        return true;
    }
    engine->places = cnv_array_new(engine->settings.agents, sizeof(*engine->places));
    return engine->places != NULL;
}

void cnv_places_forget(struct cnv_engine *engine)
{
    if (engine->places != NULL) {
        memset(engine->places, 0, engine->settings.agents * sizeof(*engine->places));
    }
}

static bool place_is_of(const struct cnv_place *place, const struct cnv_member *member)
{
    if (place->rows == 0) {
        return false;
    }
    return member->holds_shard ? place->shard == member->shard && place->shards == member->shards
                               : place->shards == 0 && strcmp(place->name, member->name) == 0;
}

/* Its place of before, or one that is free; NULL: there is none. */
static struct cnv_place *place_find(struct cnv_engine *engine, const struct cnv_member *member)
{
    struct cnv_place *places = engine->places;
    size_t count = engine->settings.agents;

    for (size_t i = 0; i < count; i++) {
        if (place_is_of(&places[i], member)) {
            return &places[i];
        }
    }
    if (member->holds_shard && member->shards == count && places[member->shard - 1].rows == 0) {
        return &places[member->shard - 1];
    }
    for (size_t i = 0; i < count; i++) {
        if (places[i].rows == 0) {
            return &places[i];
        }
    }
    return NULL;
}

enum cnv_status cnv_place_take(struct cnv_engine *engine,
                               struct cnv_member *member,
                               uint64_t rows,
                               struct cnv_error *err)
{
    if (engine->places == NULL) {
        return CNV_OK;
    }
    if (engine->settings.is_shared && engine->settings.agents > 1 &&
        (!member->holds_shard || member->shards != engine->settings.agents)) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has shard %" PRIu32 " of %" PRIu32
                        ": with data/shared=true optimiser/kind=%s knows agents by shards of "
                        "run/agents=%zu",
                        member->name,
                        member->shard,
                        member->shards,
                        engine->optimiser->name,
                        engine->settings.agents);
    }
    struct cnv_place *place = place_find(engine, member);
    if (place == NULL) {
        return cnv_fail(err,
                        CNV_E_FULL,
                        "no room for %s: optimiser/kind=%s remembers run/agents=%zu agents",
                        member->name,
                        engine->optimiser->name,
                        engine->settings.agents);
    }
    if (engine->has_shape && place->rows != 0 && place->rows != rows) {
        return cnv_fail(err,
                        CNV_E_MISFIT,
                        "%s has %" PRIu64 " rows, but there were %" PRIu64
                        " where it takes part: optimiser/kind=%s remembers them",
                        member->name,
                        rows,
                        place->rows,
                        engine->optimiser->name);
    }
    place->rows = rows;
    place->shard = member->holds_shard ? member->shard : 0;
    place->shards = member->holds_shard ? member->shards : 0;
    (void) snprintf(place->name, sizeof(place->name), "%s", member->name);
    member->place = (size_t) (place - engine->places);
    return CNV_OK;
}

void cnv_place_free(struct cnv_engine *engine, const struct cnv_member *member)
{
    for (size_t i = 0; engine->places != NULL && !engine->has_shape && i < engine->settings.agents;
         i++) {
        if (place_is_of(&engine->places[i], member)) {
            engine->places[i] = (struct cnv_place){ 0 };
        }
    }
}

double cnv_place_weight(const struct cnv_engine *engine, const struct cnv_member *member)
{
    return engine->settings.is_uniform || engine->settings.is_shared
               ? 1.0 / (double) engine->settings.agents
               : (double) engine->places[member->place].rows / (double) engine->total_rows;
}
