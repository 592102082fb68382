/*
 * team.c - lanes 1 .. size-1 are threads that sleep until a wave is posted.
 *
 * One mutex guards everything: a wave is a number that rises, and each lane that has a piece in
 * it counts itself out when done. The caller does piece 0 and waits for the count to reach 0.
 */
#include "num/team.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct lane {
    struct cnv_team *team;
    size_t index;
    pthread_t thread;
};

struct cnv_team {
    size_t size;
    size_t started; /* lanes whose thread runs, the caller's included */
    struct lane *lanes;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    pthread_cond_t finished;
    bool over;
    uint64_t wave;
    size_t pieces;
    size_t busy;
    void (*run)(void *ctx, size_t piece);
    void *ctx;
};

static void *lane_main(void *argument)
{
    struct lane *lane = argument;
    struct cnv_team *team = lane->team;
    uint64_t seen = 0;

    pthread_mutex_lock(&team->mutex);
    for (;;) {
        while (!team->over && (team->wave == seen || lane->index >= team->pieces)) {
            seen = team->wave;
            pthread_cond_wait(&team->posted, &team->mutex);
        }
        if (team->over) {
            break;
        }
        seen = team->wave;
        pthread_mutex_unlock(&team->mutex);
        team->run(team->ctx, lane->index);
        pthread_mutex_lock(&team->mutex);
        team->busy--;
        if (team->busy == 0) {
            pthread_cond_signal(&team->finished);
        }
    }
    pthread_mutex_unlock(&team->mutex);
    return NULL;
}

enum cnv_status cnv_team_new(size_t threads, struct cnv_team **ret_team, struct cnv_error *err)
{
    assert(threads >= 1);
    struct cnv_team *team = cnv_object_new(struct cnv_team);
    if (team == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "team of %zu threads", threads);
    }
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->posted, NULL);
    pthread_cond_init(&team->finished, NULL);
    team->size = threads;
    team->started = 1;
    team->lanes = cnv_array_new(threads, sizeof(*team->lanes));
    if (team->lanes == NULL) {
        cnv_team_destroy(team);
        return cnv_fail(err, CNV_E_NOMEM, "team of %zu threads", threads);
    }
    for (size_t i = 1; i < threads; i++) {
        struct lane *lane = &team->lanes[i];

        lane->team = team;
        lane->index = i;
        int failed = pthread_create(&lane->thread, NULL, lane_main, lane);
        if (failed != 0) {
            cnv_team_destroy(team);
            return cnv_fail(err,
                            CNV_E_SYSTEM,
                            "thread %zu of %zu: %s",
                            i + 1,
                            threads,
                            strerrordesc_np(failed));
        }
        team->started++;
    }
    *ret_team = team;
    return CNV_OK;
}

void cnv_team_destroy(struct cnv_team *team)
{
    if (team == NULL) {
        return;
    }
    pthread_mutex_lock(&team->mutex);
    team->over = true;
    pthread_cond_broadcast(&team->posted);
    pthread_mutex_unlock(&team->mutex);
    for (size_t i = 1; i < team->started; i++) {
        pthread_join(team->lanes[i].thread, NULL);
    }
    pthread_cond_destroy(&team->finished);
    pthread_cond_destroy(&team->posted);
    pthread_mutex_destroy(&team->mutex);
    cnv_free(team->lanes);
    cnv_free(team);
}

size_t cnv_team_size(const struct cnv_team *team)
{
    return team->size;
}

void cnv_team_run(struct cnv_team *team,
                  size_t pieces,
                  void (*run)(void *ctx, size_t piece),
                  void *ctx)
{
    assert(pieces <= team->size);
    if (pieces > 1) {
        pthread_mutex_lock(&team->mutex);
        team->run = run;
        team->ctx = ctx;
        team->pieces = pieces;
        team->busy = pieces - 1;
        team->wave++;
        pthread_cond_broadcast(&team->posted);
        pthread_mutex_unlock(&team->mutex);
    }
    if (pieces > 0) {
        run(ctx, 0);
    }
    if (pieces > 1) {
        pthread_mutex_lock(&team->mutex);
        while (team->busy > 0) {
            pthread_cond_wait(&team->finished, &team->mutex);
        }
        pthread_mutex_unlock(&team->mutex);
    }
}
