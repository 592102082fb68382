/*
 * test_damage.c - headers as a broken or hostile peer may send them.
 *
 * Whatever the bytes, decode says no or gives a message that can be encoded, decoded and shown
 * again. Frames lie at the end of an allocation, so that a sanitizer sees a read past them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "proto/message.h"
#include "tests/support/message_fill.h"

#define KIND_ROW(symbol, number, name, sender, payload) CNV_KIND_##symbol,
static const enum cnv_kind kinds[] = { CNV_MESSAGE_LIST(KIND_ROW) };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* True when the frame was taken for a message. */
static bool try_frame(const uint8_t *bytes, size_t len)
{
    size_t room = (len + 63) / 64 * 64; /* what is allocated, to the byte */
    uint8_t *copy = cnv_array_new(room, 1);
    uint8_t again[CNV_HEADER_MAX];
    struct cnv_message message;
    struct cnv_message second;
    struct cnv_error error = { .status = CNV_OK };
    char text[256];
    size_t size = 0;
    enum cnv_status status = CNV_OK;

    cr_assert_not_null(copy);
    memcpy(copy + room - len, bytes, len);
    status = cnv_message_decode(copy + room - len, len, &message, &error);
    cnv_free(copy);
    if (status != CNV_OK) {
        cr_assert(status == CNV_E_MALFORMED || status == CNV_E_KIND || status == CNV_E_VERSION);
        cr_assert(error.status == status && error.text[0] != '\0');
        return false;
    }
    size = cnv_message_encode(&message, again, sizeof(again));
    cr_assert_gt(size, 0);
    if (message.version != 0) {
        cr_assert_eq(cnv_message_decode(again, size, &second, &error), CNV_OK, "%s", error.text);
        cr_assert(message_equal(&message, &second));
    }
    (void) cnv_message_dump(&message, text, sizeof(text));
    return true;
}

Test(damage, every_truncation_is_refused, .timeout = 30)
{
    struct cnv_message message;
    uint8_t frame[CNV_HEADER_MAX];

    for (size_t k = 0; k < KINDS; k++) {
        for (enum fill fill = FILL_ZERO; fill < FILL_COUNT; fill++) {
            size_t len = 0;

            message_fill(&message, kinds[k], fill);
            len = cnv_message_encode(&message, frame, sizeof(frame));
            cr_assert(try_frame(frame, len));
            for (size_t cut = 0; cut < len; cut++) {
                cr_assert_not(try_frame(frame, cut), "%s cut to %zu", cnv_kind_name(kinds[k]), cut);
            }
        }
    }
}

Test(damage, no_changed_byte_does_harm, .timeout = 60)
{
    struct cnv_message message;
    uint8_t frame[CNV_HEADER_MAX];
    size_t taken = 0;
    size_t tried = 0;

    for (size_t k = 0; k < KINDS; k++) {
        size_t len = 0;

        message_fill(&message, kinds[k], FILL_ODD);
        len = cnv_message_encode(&message, frame, sizeof(frame));
        for (size_t i = 0; i < len; i++) {
            uint8_t kept = frame[i];

            for (unsigned value = 0; value < 256; value++) {
                frame[i] = (uint8_t) value;
                taken += try_frame(frame, len);
                tried++;
            }
            frame[i] = kept;
        }
    }
    /* Both outcomes must be common, or this test looks at nothing. */
    cr_assert(taken > tried / 10 && taken < tried / 10 * 9, "%zu of %zu taken", taken, tried);
}

Test(damage, random_bytes_do_no_harm, .timeout = 60)
{
    uint8_t frame[CNV_HEADER_MAX + 8];

    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct cnv_rng rng;
        size_t len = 0;

        cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 1, 0);
        len = seed % 50 == 0 ? cnv_rng_below(&rng, sizeof(frame)) : cnv_rng_below(&rng, 64);
        for (size_t i = 0; i < len; i++) {
            frame[i] = (uint8_t) cnv_rng_u32(&rng);
        }
        /* Half of them begin like a message of ours. */
        if (seed % 2 == 0 && len > 3) {
            frame[0] = (uint8_t) (0x90 | (2 + cnv_rng_below(&rng, 14)));
            frame[1] = 1;
            frame[2] = (uint8_t) (1 + cnv_rng_below(&rng, KINDS));
        }
        (void) try_frame(frame, len);
    }
}

Test(damage, spliced_messages_do_no_harm, .timeout = 60)
{
    uint8_t left[CNV_HEADER_MAX];
    uint8_t right[CNV_HEADER_MAX];
    struct cnv_message message;

    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct cnv_rng rng;
        size_t left_len = 0;
        size_t right_len = 0;
        size_t at = 0;

        cnv_rng_init(&rng, seed, CNV_RNG_SYNTHETIC, 2, 0);
        message_fill(&message,
                     kinds[cnv_rng_below(&rng, KINDS)],
                     (enum fill) cnv_rng_below(&rng, FILL_COUNT));
        left_len = cnv_message_encode(&message, left, sizeof(left));
        message_fill(&message,
                     kinds[cnv_rng_below(&rng, KINDS)],
                     (enum fill) cnv_rng_below(&rng, FILL_COUNT));
        right_len = cnv_message_encode(&message, right, sizeof(right));
        at = cnv_rng_below(&rng, left_len < right_len ? left_len : right_len);
        memcpy(left + at, right + at, right_len - at);
        (void) try_frame(left, right_len);
    }
}
