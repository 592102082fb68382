/*
 * quorum.c - sync/mode=quorum: enough of them, or a deadline; who is late is left out of the round.
 *
 * Happy path: all offer before the deadline, and the round is that of the barrier. At the deadline,
 * if sync/quorum of the members have offered, those who have not lose their place: they hear of the
 * commit and are in the next round. With fewer the round waits on until there are enough.
 * The deadline is sync/deadline after the announce, or learnt: median + 4 MAD of what the members
 * took in their last rounds, but at least 250 ms and at most patience. It is read off the clock, so
 * the reason of the round says who was left out, and when.
 * Only the first exchange of a round is closed so: who is missing later restarts it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

enum { DEADLINE_FLOOR_MS = 250, DEADLINE_SPREADS = 4 };

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *) a;
    uint64_t right = *(const uint64_t *) b;

    return left < right ? -1 : left > right;
}

uint64_t cnv_quorum_learn(uint64_t *times_ms, size_t n, uint64_t most_ms)
{
    if (n == 0) {
        return most_ms;
    }
    qsort(times_ms, n, sizeof(*times_ms), compare_times);
    uint64_t median = times_ms[n / 2];

    for (size_t i = 0; i < n; i++) {
        times_ms[i] = times_ms[i] > median ? times_ms[i] - median : median - times_ms[i];
    }
    qsort(times_ms, n, sizeof(*times_ms), compare_times);
    uint64_t deadline = median + DEADLINE_SPREADS * times_ms[n / 2];

    deadline = deadline < DEADLINE_FLOOR_MS ? DEADLINE_FLOOR_MS : deadline;
    return deadline < most_ms ? deadline : most_ms;
}

/* Milliseconds from the announce. Out of memory: patience. */
static uint64_t quorum_deadline(const struct cnv_engine *engine)
{
    uint64_t most = engine->settings.patience_ms;
    uint64_t *times = NULL;
    size_t n = 0;

    if (engine->settings.deadline_ms > 0) {
        return engine->settings.deadline_ms;
    }
    times = cnv_array_new(engine->member_count, sizeof(*times));
    for (size_t i = 0; times != NULL && i < engine->member_count; i++) {
        if (engine->members[i]->in_round && engine->members[i]->pace.took_ms > 0) {
            times[n++] = engine->members[i]->pace.took_ms;
        }
    }
    uint64_t deadline = times == NULL ? most : cnv_quorum_learn(times, n, most);
    cnv_free(times);
    return deadline;
}

/* Takes the place of those who have not offered, and says so in the round's reason. */
static void quorum_leave_out(struct cnv_engine *engine, uint64_t after_ms)
{
    struct cnv_decision *decision = &engine->round.decision;
    const char *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        struct cnv_member *member = engine->members[i];

        if (cnv_round_is_awaiting(engine, member)) {
            first = first == NULL ? member->name : first;
            count++;
            member->in_round = false;
        }
    }
    size_t used = strlen(decision->reason);
    (void) snprintf(decision->reason + used,
                    sizeof(decision->reason) - used,
                    "; %zu late after %.2f s, %.20s first",
                    count,
                    (double) after_ms / 1000,
                    first == NULL ? "" : first);
}

bool cnv_quorum_closes(struct cnv_engine *engine)
{
    const struct cnv_round *round = &engine->round;
    size_t offers = 0;
    size_t missing = 0;

    for (size_t i = 0; i < engine->member_count; i++) {
        const struct cnv_member *member = engine->members[i];

        missing += cnv_round_is_awaiting(engine, member);
        offers += member->in_round && member->refusal == CNV_OK && member->offer.is_here;
    }
    if (missing == 0) {
        return true;
    }
    if (!engine->settings.is_quorum || round->is_evaluation || round->exchange > 0 || offers == 0 ||
        (double) offers < engine->settings.quorum * (double) (offers + missing)) {
        return false;
    }
    uint64_t after_ms = engine->now_ms - round->announced_ms;
    if (after_ms < quorum_deadline(engine)) {
        return false;
    }
    quorum_leave_out(engine, after_ms);
    return true;
}
