/* test_backlog.c - what waits for an application that does not read stays little. */
#include <criterion/criterion.h>

#include "client/backlog.h"
#include "client/event.h"

static void put(struct cnv_backlog *backlog, convene_event_kind kind, uint64_t round)
{
    struct cnv_event *event = cnv_event_new(kind);

    cr_assert_not_null(event);
    event->event.round = round;
    cnv_backlog_put(backlog, &event->event);
}

static void take(struct cnv_backlog *backlog, convene_event_kind kind, uint64_t round)
{
    convene_event *event = cnv_backlog_take(backlog);

    cr_assert_not_null(event);
    cr_assert_eq(event->kind, kind, "kind %d", event->kind);
    cr_assert_eq(event->round, round);
    convene_event_release(event);
}

Test(backlog, keeps_the_order, .timeout = 5)
{
    struct cnv_backlog backlog = { .count = 0 };

    put(&backlog, CONVENE_WELCOME, 0);
    put(&backlog, CONVENE_SHAPE, 0);
    put(&backlog, CONVENE_COMMIT, 0);
    put(&backlog, CONVENE_ROUND, 1);
    put(&backlog, CONVENE_SETTLED, 1);
    take(&backlog, CONVENE_WELCOME, 0);
    take(&backlog, CONVENE_SHAPE, 0);
    take(&backlog, CONVENE_COMMIT, 0);
    take(&backlog, CONVENE_ROUND, 1);
    take(&backlog, CONVENE_SETTLED, 1);
    cr_assert_null(cnv_backlog_take(&backlog));
}

Test(backlog, a_new_round_makes_older_rounds_void, .timeout = 5)
{
    struct cnv_backlog backlog = { .count = 0 };

    put(&backlog, CONVENE_SETTLED, 1);
    put(&backlog, CONVENE_COMMIT, 1);
    put(&backlog, CONVENE_ROUND, 2);
    put(&backlog, CONVENE_ROUND, 3);
    take(&backlog, CONVENE_COMMIT, 1);
    take(&backlog, CONVENE_ROUND, 3);
    cr_assert_null(cnv_backlog_take(&backlog));
}

Test(backlog, a_reader_asleep_for_a_thousand_rounds_finds_first_and_last_commit, .timeout = 5)
{
    struct cnv_backlog backlog = { .count = 0 };

    for (uint64_t round = 1; round <= 1000; round++) {
        put(&backlog, CONVENE_ROUND, round);
        put(&backlog, CONVENE_COMMIT, round);
        cr_assert_leq(backlog.count, 3);
    }
    put(&backlog, CONVENE_FINISHED, 0);
    take(&backlog, CONVENE_COMMIT, 1);
    take(&backlog, CONVENE_ROUND, 1000);
    take(&backlog, CONVENE_COMMIT, 1000);
    take(&backlog, CONVENE_FINISHED, 0);
    cr_assert_null(cnv_backlog_take(&backlog));
}

Test(backlog, clear_releases_everything, .timeout = 5)
{
    struct cnv_backlog backlog = { .count = 0 };
    struct cnv_event *event = cnv_event_new(CONVENE_COMMIT);
    struct cnv_blob *model = cnv_blob_new(80);
    size_t alive = cnv_blob_alive();

    cnv_event_set_values(event, model);
    cnv_backlog_put(&backlog, &event->event);
    cnv_blob_unref(model);
    cr_assert_eq(cnv_blob_alive(), alive);
    cnv_backlog_clear(&backlog);
    cr_assert_eq(cnv_blob_alive(), alive - 1);
    cr_assert_eq(backlog.count, 0);
}
