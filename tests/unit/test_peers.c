#include <criterion/criterion.h>

#include "base/mem.h"
#include "io/peers.h"

static struct cnv_peer *added(struct cnv_peers *peers, enum cnv_channel channel, uint32_t route)
{
    struct cnv_peer *peer = cnv_peers_add(peers, channel, &route, sizeof(route));

    cr_assert_not_null(peer);
    return peer;
}

Test(peers, are_found_by_number_and_by_connection, .timeout = 10)
{
    struct cnv_peers peers = { .count = 0 };

    cr_assert_null(cnv_peers_find(&peers, 1));
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(added(&peers, CNV_DATA, i)->id, 2 * i + 1);
        cr_assert_eq(added(&peers, CNV_BULK, i)->id, 2 * i + 2);
    }
    cr_assert_eq(peers.count, 2000);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(cnv_peers_route(&peers, CNV_DATA, &i, sizeof(i))->id, 2 * i + 1);
        cr_assert_eq(cnv_peers_route(&peers, CNV_BULK, &i, sizeof(i))->id, 2 * i + 2);
        cr_assert_eq(cnv_peers_find(&peers, 2 * i + 2)->channel, CNV_BULK);
        cr_assert_null(cnv_peers_route(&peers, CNV_DATA, &i, sizeof(i) - 1));
    }
    cnv_peers_fini(&peers);
}

Test(peers, numbers_are_never_used_again, .timeout = 10)
{
    struct cnv_peers peers = { .count = 0 };
    uint32_t route = 7;

    struct cnv_peer *first = added(&peers, CNV_DATA, route);
    cr_assert_eq(first->id, 1);
    cnv_peers_remove(&peers, first);
    cr_assert_null(cnv_peers_find(&peers, 1));
    cr_assert_null(cnv_peers_route(&peers, CNV_DATA, &route, sizeof(route)));
    cr_assert_eq(added(&peers, CNV_DATA, route)->id, 2);
    cr_assert_eq(peers.count, 1);
    cnv_peers_fini(&peers);
}

Test(peers, gone_are_told_once_even_if_marked_twice, .timeout = 10)
{
    struct cnv_peers peers = { .count = 0 };
    struct cnv_peer *a = added(&peers, CNV_DATA, 1);
    struct cnv_peer *b = added(&peers, CNV_DATA, 2);
    struct cnv_peer *c = added(&peers, CNV_DATA, 3);

    cnv_peers_mark_gone(&peers, a);
    cnv_peers_mark_gone(&peers, b);
    cnv_peers_mark_gone(&peers, c);
    cnv_peers_mark_gone(&peers, a);
    cnv_peers_remove(&peers, b);
    cr_assert_eq(cnv_peers_take_gone(&peers), 3);
    cr_assert_eq(cnv_peers_take_gone(&peers), 1);
    cr_assert_eq(cnv_peers_take_gone(&peers), 0);
    cr_assert_eq(peers.count, 0);
    cnv_peers_fini(&peers);
}

Test(peers, failed_allocations_lose_nobody, .timeout = 10)
{
    struct cnv_peers peers = { .count = 0 };

    for (uint32_t i = 0; i < 64; i++) {
        (void) added(&peers, CNV_DATA, i);
    }
    for (uint64_t n = 1; n <= 3; n++) {
        uint32_t route = 64;

        cnv_mem_fail_after(n);
        struct cnv_peer *peer = cnv_peers_add(&peers, CNV_DATA, &route, sizeof(route));
        cnv_mem_fail_after(0);
        cr_assert_null(peer);
    }
    for (uint32_t i = 0; i < 64; i++) {
        cr_assert_not_null(cnv_peers_route(&peers, CNV_DATA, &i, sizeof(i)));
    }
    cnv_peers_fini(&peers);
}
