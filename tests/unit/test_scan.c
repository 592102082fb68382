/* test_scan.c - what the scan lets through, and that a small frame cannot claim much. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/message.h"

static struct cnv_error error;
static uint8_t frame[CNV_HEADER_MAX + 1];

static bool passes(const void *bytes, size_t len)
{
    return cnv_header_scan(bytes, len, &error) == CNV_OK;
}

Test(scan, knows_the_length_of_every_type, .timeout = 5)
{
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } rows[] = {
        { { 0x00 }, 1 },
        { { 0x7f }, 1 },
        { { 0x80 }, 1 },
        { { 0x81, 1, 2 }, 3 },
        { { 0x90 }, 1 },
        { { 0x91, 1 }, 2 },
        { { 0xa0 }, 1 },
        { { 0xa2, 'h', 'i' }, 3 },
        { { 0xc0 }, 1 },
        { { 0xc2 }, 1 },
        { { 0xc3 }, 1 },
        { { 0xc4, 1 }, 3 },
        { { 0xc5, 0, 1 }, 4 },
        { { 0xc6, 0, 0, 0, 1 }, 6 },
        { { 0xc7, 1 }, 4 },
        { { 0xc8, 0, 1 }, 5 },
        { { 0xc9, 0, 0, 0, 1 }, 7 },
        { { 0xca }, 5 },
        { { 0xcb }, 9 },
        { { 0xcc }, 2 },
        { { 0xcd }, 3 },
        { { 0xce }, 5 },
        { { 0xcf }, 9 },
        { { 0xd0 }, 2 },
        { { 0xd1 }, 3 },
        { { 0xd2 }, 5 },
        { { 0xd3 }, 9 },
        { { 0xd4 }, 3 },
        { { 0xd5 }, 4 },
        { { 0xd6 }, 6 },
        { { 0xd7 }, 10 },
        { { 0xd8 }, 18 },
        { { 0xd9, 1, 'x' }, 3 },
        { { 0xda, 0, 1, 'x' }, 4 },
        { { 0xdb, 0, 0, 0, 1, 'x' }, 6 },
        { { 0xdc, 0, 1 }, 4 },
        { { 0xdd, 0, 0, 0, 1 }, 6 },
        { { 0xde, 0, 1 }, 5 },
        { { 0xdf, 0, 0, 0, 1 }, 7 },
        { { 0xe0 }, 1 },
        { { 0xff }, 1 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(frame, 0, sizeof(frame));
        memcpy(frame, rows[i].bytes, sizeof(rows[i].bytes));
        cr_assert(passes(frame, rows[i].len), "type %02x: %s", rows[i].bytes[0], error.text);
        cr_assert_not(passes(frame, rows[i].len + 1), "type %02x: a byte behind", rows[i].bytes[0]);
        for (size_t len = 0; len < rows[i].len; len++) {
            cr_assert_not(passes(frame, len), "type %02x, %zu bytes", rows[i].bytes[0], len);
        }
    }
    cr_assert_not(passes("\xc1", 1));
}

Test(scan, refuses_an_array_that_claims_2_to_the_28, .timeout = 5)
{
    static const uint8_t claims[] = { 0xdd, 0xdf, 0xdb, 0xc6, 0xc9 };

    for (size_t i = 0; i < sizeof(claims); i++) {
        const uint8_t bytes[] = { claims[i], 0x10, 0, 0, 0 };
        const uint8_t inner[] = { 0x93, 1, 7, claims[i], 0xff, 0xff, 0xff, 0xff };
        struct cnv_message message;

        cr_assert_eq(cnv_message_decode(bytes, sizeof(bytes), &message, &error), CNV_E_MALFORMED);
        cr_assert_not_null(strstr(error.text, "claims"), "%s", error.text);
        cr_assert_eq(cnv_message_decode(inner, sizeof(inner), &message, &error), CNV_E_MALFORMED);
    }
}

Test(scan, refuses_a_count_before_it_looks_at_elements, .timeout = 5)
{
    static const uint8_t array[] = { 0xdc, 0, 4, 1, 2, 3 };
    static const uint8_t map[] = { 0x82, 1, 2, 3 };

    cr_assert_not(passes(array, sizeof(array)));
    cr_assert_str_eq(error.text, "header claims 4 elements at byte 3, 3 bytes are left");
    cr_assert_not(passes(map, sizeof(map)));
    cr_assert_str_eq(error.text, "header claims 4 elements at byte 1, 3 bytes are left");
}

Test(scan, refuses_nesting_deeper_than_four, .timeout = 5)
{
    for (size_t depth = 1; depth <= 1000; depth++) {
        /* arrays of one element each, then maps of one pair each with the key 1 */
        memset(frame, 0x91, depth);
        frame[depth] = 1;
        cr_assert_eq(passes(frame, depth + 1), depth <= 4, "%zu: %s", depth, error.text);
        for (size_t i = 0; i < depth; i++) {
            frame[2 * i] = 0x81;
            frame[2 * i + 1] = 1;
        }
        frame[2 * depth] = 1;
        cr_assert_eq(passes(frame, 2 * depth + 1), depth <= 4, "%zu: %s", depth, error.text);
    }
}

Test(scan, siblings_do_not_add_up_to_depth, .timeout = 5)
{
    static const uint8_t bytes[] = { 0x93, 0x91, 0x91, 0x90, 0x90, 0x91, 0x92, 0x90, 0x90 };

    cr_assert(passes(bytes, sizeof(bytes)), "%s", error.text);
}

Test(scan, refuses_an_empty_and_a_long_frame, .timeout = 5)
{
    cr_assert_not(passes(frame, 0));
    memset(frame, 0, sizeof(frame));
    frame[0] = 0xdc;
    frame[1] = (CNV_HEADER_MAX - 3) >> 8;
    frame[2] = (CNV_HEADER_MAX - 3) & 0xff;
    cr_assert(passes(frame, CNV_HEADER_MAX), "%s", error.text);
    frame[2]++;
    cr_assert_not(passes(frame, CNV_HEADER_MAX + 1));
    cr_assert_str_eq(error.text, "header has 4097 bytes, at most 4096 are allowed");
}
