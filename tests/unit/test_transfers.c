/* test_transfers.c - uploads and downloads of a session by chunks. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "desk.h"
#include "proto/vector.h"

/* --- Uploads ------------------------------------------------------------------------------- */

Test(session, sends_chunks_only_below_the_credit, .timeout = 5)
{
    const double *vector = big_vector(1);
    struct desk *desk = member_new(vector, BIG);
    size_t chunks = (size_t) cnv_chunk_count(BIG_BYTES, CHUNK);

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, vector, BIG);
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 0);
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.crc, 0);
    desk_clear(desk);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 2, .attempt = 1, .limit = 3 });
    cr_assert_eq(desk->sent, 0, "credit for a transfer that is not ours");
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 3 });
    cr_assert_eq(desk->messages[0].kind, CNV_KIND_ATTACH);
    cr_assert_eq(desk->messages[0].attach.token, 101);
    cr_assert_eq(desk->channels[1], CNV_BULK);
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 3);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 3 });
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 2 });
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 3, "credit is absolute");
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 1000 });
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), chunks);
    cr_assert_eq(desk_said(desk, CNV_KIND_CHUNK, chunks - 1)->chunk.index, chunks - 1);
    cr_assert_eq(desk->lens[desk->sent - 1], BIG_BYTES - (chunks - 1) * (size_t) CHUNK);
    desk_close(desk);
}

Test(session, goes_back_on_rewind_and_on_a_new_attempt, .timeout = 5)
{
    const double *vector = big_vector(1);
    struct desk *desk = member_new(vector, BIG);

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, vector, BIG);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 6 });
    desk_clear(desk);
    hear_credit(desk,
                &(struct cnv_msg_credit){
                    .transfer = 1, .attempt = 1, .next = 4, .limit = 6, .rewind = true });
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_CHUNK, 0)->chunk.index, 4);
    desk_clear(desk);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 2, .limit = 2 });
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_CHUNK, 0)->chunk.index, 0);
    cr_assert_eq(desk_said(desk, CNV_KIND_CHUNK, 0)->chunk.attempt, 2);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 9 });
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 2, "an older attempt's credit");
    desk_clear(desk);
    tick(desk, BEAT);
    cr_assert_eq(desk_said(desk, CNV_KIND_OFFER, 0)->offer.attempt, 2);
    desk_close(desk);
}

Test(session, goes_on_where_a_full_socket_stopped_it, .timeout = 5)
{
    const double *vector = big_vector(1);
    struct desk *desk = member_new(vector, BIG);

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, vector, BIG);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 1 });
    desk->is_bulk_full = true;
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 3 });
    desk_clear(desk);
    tick(desk, 100);
    cr_assert_eq(desk->sent, 0);
    desk->is_bulk_full = false;
    tick(desk, 100);
    cr_assert_eq(desk_count(desk, CNV_KIND_CHUNK), 2);
    cr_assert_eq(desk_said(desk, CNV_KIND_CHUNK, 0)->chunk.index, 1);
    desk_close(desk);
}

Test(session, attaches_again_when_the_bulk_connection_is_not_known, .timeout = 5)
{
    const double *vector = big_vector(1);
    struct desk *desk = member_new(vector, BIG);
    struct cnv_message rejoin = { .kind = CNV_KIND_REJOIN };

    hear_announce(desk, 2, 1, 1, "model");
    contribute(desk, 2, 1, vector, BIG);
    hear_credit(desk, &(struct cnv_msg_credit){ .transfer = 1, .attempt = 1, .limit = 2 });
    desk_clear(desk);
    cnv_session_receive(desk->session, desk->now, CNV_BULK, &rejoin, NULL);
    cnv_session_receive(desk->session, desk->now, CNV_BULK, &rejoin, NULL);
    cr_assert_eq(desk->sent, 3, "once for all chunks under way");
    cr_assert_eq(desk->messages[0].kind, CNV_KIND_ATTACH);
    cr_assert_eq(desk->messages[1].chunk.index, 0);
    desk_close(desk);
}

/* --- Downloads ----------------------------------------------------------------------------- */

/* A member that was just told of a big version 2 under transfer 7. */
static struct desk *downloader_new(const double *vector)
{
    struct desk *desk = member_new(small, 3);
    struct cnv_message commit = { .kind = CNV_KIND_COMMIT };

    commit.commit = commit_of(2, vector, BIG);
    commit.commit.transfer = 7;
    desk_clear(desk);
    hear(desk, &commit, NULL, 0);
    return desk;
}

Test(session, downloads_within_the_window_in_any_order, .timeout = 5)
{
    const double *vector = big_vector(2);
    struct desk *desk = downloader_new(vector);
    uint64_t chunks = cnv_chunk_count(BIG_BYTES, CHUNK);
    struct cnv_blob *model = NULL;
    uint32_t digest = 0;

    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.transfer, 7);
    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.limit, WINDOW);
    for (uint64_t i = 0; i < chunks; i += 2) {
        if (i + 1 < chunks) {
            hear_chunk(desk, 7, i + 1, vector, BIG_BYTES);
        }
        hear_chunk(desk, 7, i, vector, BIG_BYTES);
        hear_chunk(desk, 7, i, vector, BIG_BYTES);
        hear_chunk(desk, 6, i, vector, BIG_BYTES);
    }
    for (size_t i = 0; i < desk->sent; i++) {
        const struct cnv_msg_credit *credit = &desk->messages[i].credit;
        if (desk->messages[i].kind == CNV_KIND_CREDIT) {
            cr_assert_leq(credit->limit, credit->next + WINDOW);
        }
    }
    cr_assert_eq(desk->events, 1);
    cr_assert_arr_eq(desk->event[0]->values, vector, BIG_BYTES);
    cr_assert_eq(cnv_session_version(desk->session, &model, &digest), 2);
    cr_assert_eq(cnv_blob_len(model), BIG_BYTES);
    desk_close(desk);
}

Test(session, asks_again_for_lost_and_damaged_chunks, .timeout = 5)
{
    const double *vector = big_vector(2);
    struct desk *desk = downloader_new(vector);
    struct cnv_message chunk = { .kind = CNV_KIND_CHUNK, .chunk = { .transfer = 7, .crc = 1 } };

    hear_chunk(desk, 7, 1, vector, BIG_BYTES);
    hear(desk, &chunk, vector, CHUNK);
    desk_clear(desk);
    tick(desk, BEAT);
    cr_assert_eq(desk_count(desk, CNV_KIND_CREDIT), 0, "it may be no more than late");
    tick(desk, cnv_chunk_time_ms(CHUNK));
    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.next, 0);
    cr_assert(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.rewind);
    cr_assert_eq(desk_count(desk, CNV_KIND_ATTACH), 1, "the connection may be a new one");
    hear_chunk(desk, 7, 0, vector, BIG_BYTES);
    desk_clear(desk);
    tick(desk, BEAT + cnv_chunk_time_ms(CHUNK));
    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.next, 2);
    desk_clear(desk);
    tick(desk, BEAT + cnv_chunk_time_ms(CHUNK));
    cr_assert_eq(desk_count(desk, CNV_KIND_CREDIT), 0, "less and less often");
    tick(desk, BEAT + cnv_chunk_time_ms(CHUNK));
    cr_assert_eq(desk_count(desk, CNV_KIND_CREDIT), 1);
    desk_close(desk);
}

Test(session, begins_again_when_the_digest_is_wrong, .timeout = 5)
{
    const double *vector = big_vector(2);
    struct desk *desk = downloader_new(big_vector(3));

    vector = big_vector(2);
    for (uint64_t i = 0; i < cnv_chunk_count(BIG_BYTES, CHUNK); i++) {
        hear_chunk(desk, 7, i, vector, BIG_BYTES);
    }
    cr_assert_eq(desk->events, 0);
    const struct cnv_msg_credit *credit = &desk->messages[desk->sent - 1].credit;
    cr_assert(credit->rewind);
    cr_assert_eq(credit->next, 0);
    desk_close(desk);
}

Test(session, newer_commit_supersedes_a_download, .timeout = 5)
{
    const double *vector = big_vector(2);
    struct desk *desk = downloader_new(vector);
    struct cnv_message commit = { .kind = CNV_KIND_COMMIT };

    hear_chunk(desk, 7, 0, vector, BIG_BYTES);
    desk_clear(desk);
    commit.commit = commit_of(2, vector, BIG);
    commit.commit.transfer = 8;
    hear(desk, &commit, NULL, 0);
    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.transfer, 8);
    cr_assert_eq(desk_said(desk, CNV_KIND_CREDIT, 0)->credit.next, 1, "what has come in is kept");
    hear_commit(desk, 3, small, 3);
    cr_assert_eq(desk->event[0]->version, 3);
    for (uint64_t i = 1; i < cnv_chunk_count(BIG_BYTES, CHUNK); i++) {
        hear_chunk(desk, 8, i, vector, BIG_BYTES);
    }
    cr_assert_eq(desk->events, 1);
    desk_close(desk);
}

Test(session, finish_waits_for_the_final_model_but_not_forever, .timeout = 5)
{
    const double *vector = big_vector(2);
    struct desk *desk = downloader_new(vector);
    struct cnv_message finish = { .kind = CNV_KIND_FINISH };

    finish.finish =
        (struct cnv_msg_finish){ .run = RUN, .version = 2, .exit = 0, .reason = "run/rounds=2" };
    hear(desk, &finish, NULL, 0);
    cr_assert_eq(desk->events, 0);
    for (uint64_t i = 0; i < cnv_chunk_count(BIG_BYTES, CHUNK); i++) {
        hear_chunk(desk, 7, i, vector, BIG_BYTES);
    }
    cr_assert_eq(desk->events, 2);
    cr_assert_eq(desk->event[1]->kind, CONVENE_FINISHED);
    cr_assert_str_eq(desk->event[1]->text, "run/rounds=2");
    desk_close(desk);

    desk = downloader_new(vector);
    hear(desk, &finish, NULL, 0);
    for (int i = 0; i < PATIENCE / BEAT; i++) {
        tick(desk, BEAT);
        hear(desk, &finish, NULL, 0);
    }
    cr_assert_eq(desk->events, 1);
    cr_assert_eq(desk->event[0]->kind, CONVENE_FINISHED);
    desk_close(desk);
}
