/* test_session_wide.c - a run where more than a model travels: numbers lie side by side on the way,
 * and one vector behind the other for the application. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/crc32c.h"
#include "desk.h"
#include "proto/vector.h"

static double wide[6] = { 1, 10, 2, 20, 3, 30 };

/* A member that holds version 2, of 3 coordinates and as many numbers beside them, at round 3. */
static struct desk *wide_new(void)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message commit = { .kind = CNV_KIND_COMMIT, .commit = commit_of(2, wide, 6) };

    commit.commit.width = 2;
    desk_clear(desk);
    hear(desk, &commit, wide, sizeof(wide));
    hear_announce(desk, 3, 1, 2, "model");
    return desk;
}

Test(session_wide, the_model_comes_first_and_then_what_lies_beside_it, .timeout = 5)
{
    static const double apart[6] = { 1, 2, 3, 10, 20, 30 };
    struct desk *desk = wide_new();

    cr_assert_eq(desk->events, 2);
    cr_assert_eq(desk->event[0]->kind, CONVENE_COMMIT);
    cr_assert_eq(desk->event[1]->kind, CONVENE_ROUND);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(desk->event[i]->length, 3);
        cr_assert_eq(desk->event[i]->width, 2);
        cr_assert_arr_eq(desk->event[i]->values, apart, sizeof(apart));
    }
    desk_close(desk);
}

Test(session_wide, a_contribution_of_several_vectors_goes_side_by_side, .timeout = 5)
{
    static const double apart[9] = { 1, 2, 3, 10, 20, 30, 100, 200, 300 };
    static const double sent[9] = { 1, 10, 100, 2, 20, 200, 3, 30, 300 };
    struct desk *desk = wide_new();
    convene_contribution contribution = {
        .round = 3, .attempt = 1, .values = apart, .length = 3, .width = 3, .samples = 1
    };

    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, NULL), CNV_OK);
    const struct cnv_msg_offer *offer = &desk_said(desk, CNV_KIND_OFFER, 0)->offer;
    cr_assert_eq(offer->length, 9);
    cr_assert_eq(offer->bytes, sizeof(sent));
    cr_assert_eq(offer->crc, cnv_crc32c(0, (const uint8_t *) sent, sizeof(sent)));
    contribution.length = 6;
    cr_assert_eq(cnv_session_contribute(desk->session, desk->now, &contribution, NULL), CNV_OK);
    cr_assert_eq(desk_count(desk, CNV_KIND_OFFER), 1, "there is one in hand");
    desk_close(desk);
}

Test(session_wide, a_width_that_cannot_be_is_ignored, .timeout = 5)
{
    static const uint64_t widths[] = { 0, 4, 7 };

    for (size_t i = 0; i < 3; i++) {
        struct desk *desk = member_new(small, 3);
        struct cnv_message commit = { .kind = CNV_KIND_COMMIT, .commit = commit_of(2, wide, 6) };

        commit.commit.width = widths[i];
        desk_clear(desk);
        hear(desk, &commit, wide, sizeof(wide));
        cr_assert_eq(desk->events, 0);
        desk_close(desk);
    }
}
