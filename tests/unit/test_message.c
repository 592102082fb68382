/* test_message.c - the codec: every kind there and back, what it skips, and what it refuses. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/message.h"
#include "tests/support/message_fill.h"

#define KIND_ROW(symbol, number, name, sender, payload) CNV_KIND_##symbol,
static const enum cnv_kind kinds[] = { CNV_MESSAGE_LIST(KIND_ROW) };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct cnv_message sent;
static struct cnv_message got;
static struct cnv_error error;
static uint8_t frame[CNV_HEADER_MAX + 64];
static char text[4 * CNV_HEADER_MAX];

static enum cnv_status decode(const uint8_t *bytes, size_t len)
{
    memset(&error, 0, sizeof(error));
    return cnv_message_decode(bytes, len, &got, &error);
}

/* The frame of sent with count more (or fewer) elements claimed and extra bytes behind it. */
static size_t frame_with(int count, const void *extra, size_t extra_len)
{
    uint8_t plain[CNV_HEADER_MAX];
    size_t len = cnv_message_encode(&sent, plain, sizeof(plain));
    size_t head = plain[0] == 0xdc ? 3 : 1;
    int elements = (head == 3 ? plain[1] << 8 | plain[2] : plain[0] & 0x0f) + count;

    frame[0] = 0xdc;
    frame[1] = (uint8_t) (elements >> 8);
    frame[2] = (uint8_t) elements;
    memcpy(frame + 3, plain + head, len - head);
    if (extra_len > 0) {
        memcpy(frame + 3 + len - head, extra, extra_len);
    }
    return 3 + len - head + extra_len;
}

Test(message, of_every_kind_comes_back_as_it_went, .timeout = 20)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (enum fill fill = FILL_ZERO; fill < FILL_COUNT; fill++) {
            size_t len = 0;

            message_fill(&sent, kinds[k], fill);
            len = cnv_message_encode(&sent, frame, CNV_HEADER_MAX);
            cr_assert_gt(len, 0, "%s does not fit", cnv_kind_name(kinds[k]));
            memset(&got, 0xa5, sizeof(got));
            cr_assert_eq(decode(frame, len), CNV_OK, "%s: %s", cnv_kind_name(kinds[k]), error.text);
            cr_assert(message_equal(&sent, &got),
                      "%s came back as %s",
                      cnv_kind_name(kinds[k]),
                      cnv_message_dump(&got, text, sizeof(text)));
        }
    }
}

Test(message, needs_exactly_its_length, .timeout = 20)
{
    for (size_t k = 0; k < KINDS; k++) {
        size_t len = 0;

        message_fill(&sent, kinds[k], FILL_LARGE);
        len = cnv_message_encode(&sent, frame, CNV_HEADER_MAX);
        for (size_t size = 0; size < len; size++) {
            cr_assert_eq(cnv_message_encode(&sent, frame, size), 0);
        }
        cr_assert_eq(cnv_message_encode(&sent, frame, len), len);
    }
}

Test(message, of_no_kind_cannot_be_encoded, .timeout = 5)
{
    message_fill(&sent, CNV_KIND_NONE, FILL_ZERO);
    cr_assert_eq(cnv_message_encode(&sent, frame, CNV_HEADER_MAX), 0);
    sent.kind = (enum cnv_kind) 99;
    cr_assert_eq(cnv_message_encode(&sent, frame, CNV_HEADER_MAX), 0);
    cr_assert_str_eq(cnv_kind_name(sent.kind), "unknown");
}

Test(message, version_zero_is_written_as_the_newest, .timeout = 5)
{
    message_fill(&sent, CNV_KIND_READY, FILL_ODD);
    sent.version = 0;
    cr_assert_eq(decode(frame, cnv_message_encode(&sent, frame, CNV_HEADER_MAX)), CNV_OK);
    cr_assert_eq(got.version, CNV_PROTOCOL_VERSION);
}

Test(message, fields_of_later_versions_are_skipped, .timeout = 20)
{
    /* nil, a map with an array in it, an extension, bytes, a float32 */
    static const uint8_t extra[] = { 0xc0, 0x81, 0xa1, 'k',  0x92, 1,    0xc3, 0xd4, 7, 9,
                                     0xc4, 2,    0,    0xff, 0xca, 0x7f, 0xc0, 0,    0 };

    for (size_t k = 0; k < KINDS; k++) {
        message_fill(&sent, kinds[k], FILL_ODD);
        cr_assert_eq(decode(frame, frame_with(5, extra, sizeof(extra))), CNV_OK, "%s", error.text);
        cr_assert(message_equal(&sent, &got));
    }
}

Test(message, that_lacks_a_field_is_refused_by_its_name, .timeout = 5)
{
    static const uint8_t hello[] = { 0x95, 1, CNV_KIND_HELLO, 1, 1, 0xa1, 'a' };
    static const uint8_t bare[] = { 0x92, 1, CNV_KIND_COMMIT };

    cr_assert_eq(decode(hello, sizeof(hello)), CNV_E_MALFORMED);
    cr_assert_str_eq(error.text, "hello lacks the field host");
    cr_assert_eq(decode(bare, sizeof(bare)), CNV_E_MALFORMED);
    cr_assert_str_eq(error.text, "commit lacks the field run");
}

Test(message, without_version_and_kind_is_refused, .timeout = 5)
{
    static const uint8_t bad[][4] = {
        { 0x90 },          { 0x91, 1 },
        { 0x92, 0xff, 1 }, { 0x92, 1, 0xff },
        { 0x92, 1, 0xc0 }, { 0x92, 0xc3, 1 },
        { 0x81, 1, 1 },    { 1 },
        { 0xc0 },          { 0xa3, 'a', 'b', 'c' },
    };
    static const size_t len[] = { 1, 2, 3, 3, 3, 3, 3, 1, 1, 4 };

    for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
        cr_assert_eq(decode(bad[i], len[i]), CNV_E_MALFORMED, "%zu", i);
        cr_assert_str_eq(error.text, "header is not an array [version, kind, ...]");
    }
}

Test(message, of_unknown_kind_is_told_apart, .timeout = 5)
{
    static const uint8_t next[] = { 0x92, 1, 99 };
    /* 2^32 + 1 and 2^64 - 1 must not be taken for kind 1 or a negative one */
    static const uint8_t wide[] = { 0x92, 1, 0xcf, 0, 0, 0, 1, 0, 0, 0, 1 };
    static const uint8_t huge[] = { 0x92, 1, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255 };

    cr_assert_eq(decode(next, sizeof(next)), CNV_E_KIND);
    cr_assert_eq(got.version, 1);
    cr_assert_eq((int) got.kind, 99);
    cr_assert_str_eq(error.text, "message kind 99 is not known");
    cr_assert_eq(decode(wide, sizeof(wide)), CNV_E_KIND);
    cr_assert_eq(decode(huge, sizeof(huge)), CNV_E_KIND);
}

Test(message, of_another_version_is_told_apart, .timeout = 5)
{
    message_fill(&sent, CNV_KIND_BEAT, FILL_ODD);
    sent.version = CNV_PROTOCOL_VERSION + 1;
    cr_assert_eq(decode(frame, cnv_message_encode(&sent, frame, CNV_HEADER_MAX)), CNV_E_VERSION);
    cr_assert_eq(got.version, CNV_PROTOCOL_VERSION + 1);
    cr_assert_eq(got.kind, CNV_KIND_BEAT);
    cr_assert_str_eq(error.text, "protocol version 2 is not one of 1 to 1");
}

Test(message, hello_and_error_are_read_in_every_version, .timeout = 5)
{
    static const enum cnv_kind both[] = { CNV_KIND_HELLO, CNV_KIND_ERROR };
    static const uint32_t versions[] = { CNV_PROTOCOL_VERSION + 1, UINT32_MAX };

    for (size_t i = 0; i < 4; i++) {
        message_fill(&sent, both[i % 2], FILL_ODD);
        sent.version = versions[i / 2];
        cr_assert_eq(decode(frame, cnv_message_encode(&sent, frame, CNV_HEADER_MAX)), CNV_OK);
        cr_assert(message_equal(&sent, &got));
    }
}

Test(message, version_is_the_newest_both_speak, .timeout = 5)
{
    cr_assert_eq(cnv_version_agree(1, 1), 1);
    cr_assert_eq(cnv_version_agree(0, 7), CNV_PROTOCOL_VERSION);
    cr_assert_eq(cnv_version_agree(0, UINT64_MAX), CNV_PROTOCOL_VERSION);
    cr_assert_eq(cnv_version_agree(0, 0), 0);
    cr_assert_eq(cnv_version_agree(CNV_PROTOCOL_VERSION + 1, UINT64_MAX), 0);
    cr_assert_eq(cnv_version_agree(UINT64_MAX, 1), 0);
}

Test(message, numbers_may_be_written_as_integers, .timeout = 5)
{
    /* beat: run version round attempt exchange state steps_per_second */
    static const struct {
        uint8_t bytes[9];
        size_t len;
        double value;
    } rows[] = {
        { { 7 }, 1, 7 },
        { { 0xe0 }, 1, -32 },
        { { 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0 }, 9, -9223372036854775808.0 },
        { { 0xcf, 255, 255, 255, 255, 255, 255, 255, 255 }, 9, 18446744073709551615.0 },
        { { 0xca, 0x3f, 0xc0, 0, 0 }, 5, 1.5 },
        { { 0xcb, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0 }, 9, -1.5 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[32] = { 0x99, 1, CNV_KIND_BEAT, 0, 0, 0, 0, 0, 0xa0 };

        memcpy(bytes + 9, rows[i].bytes, rows[i].len);
        cr_assert_eq(decode(bytes, 9 + rows[i].len), CNV_OK, "%zu: %s", i, error.text);
        cr_assert_eq(got.beat.steps_per_second, rows[i].value);
    }
}

Test(message, integers_may_be_written_signed_but_not_negative, .timeout = 5)
{
    static const uint8_t positive[] = { 0x93, 1, CNV_KIND_READY, 0xd1, 1, 0 };
    static const uint8_t negative[] = { 0x93, 1, CNV_KIND_READY, 0xd1, 0xff, 0 };
    static const uint8_t fraction[] = { 0x93, 1, CNV_KIND_READY, 0xca, 0x3f, 0x80, 0, 0 };

    cr_assert_eq(decode(positive, sizeof(positive)), CNV_OK);
    cr_assert_eq(got.ready.dimension, 256);
    cr_assert_eq(decode(negative, sizeof(negative)), CNV_E_MALFORMED);
    cr_assert_str_eq(error.text, "ready.dimension is not an unsigned integer");
    cr_assert_eq(decode(fraction, sizeof(fraction)), CNV_E_MALFORMED);
}

Test(message, text_that_is_too_long_or_not_a_line_is_refused, .timeout = 5)
{
    uint8_t bytes[512] = { 0x93, 1, CNV_KIND_REPLACED, 0xd9, 64 };
    static const uint8_t bad[][5] = { { 0xa1, 0 },         { 0xa1, '\n' },   { 0xa2, 'a', 0xff },
                                      { 0xa2, 0xc3, 'a' }, { 0xc4, 1, 'a' }, { 0x05 } };
    static const size_t len[] = { 2, 2, 3, 3, 3, 1 };

    memset(bytes + 5, 'h', 65);
    cr_assert_eq(decode(bytes, 5 + 64), CNV_OK);
    cr_assert_eq(strlen(got.replaced.host), 64);
    bytes[4] = 65;
    cr_assert_eq(decode(bytes, 5 + 65), CNV_E_MALFORMED);
    cr_assert_str_eq(error.text,
                     "replaced.host is not one line of UTF-8 with at most this many bytes: 64");
    for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
        memcpy(bytes + 3, bad[i], len[i]);
        cr_assert_eq(decode(bytes, 3 + len[i]), CNV_E_MALFORMED, "%zu", i);
    }
}

Test(message, text_of_ours_is_mended_not_refused, .timeout = 5)
{
    message_fill(&sent, CNV_KIND_LEAVE, FILL_ZERO);
    strcpy(sent.leave.reason, "a\nb\xe2\x82");
    cr_assert_eq(decode(frame, cnv_message_encode(&sent, frame, CNV_HEADER_MAX)), CNV_OK);
    cr_assert_str_eq(got.leave.reason, "a?b??");
}

Test(message, array_that_is_too_long_or_not_of_numbers_is_refused, .timeout = 5)
{
    uint8_t body[64] = { 0 };

    message_fill(&sent, CNV_KIND_SETTLED, FILL_ZERO);
    body[0] = 0xdc;
    body[2] = 17;
    /* scalars, an empty array before the last field, gives way to one of 17 or 16 zeros */
    for (uint8_t count = 16; count <= 17; count++) {
        size_t len = frame_with(0, NULL, 0) - 2;

        body[2] = count;
        body[3 + count] = 0xc2;
        memcpy(frame + len, body, 4U + count);
        cr_assert_eq(decode(frame, len + 4 + count), count == 16 ? CNV_OK : CNV_E_MALFORMED);
        body[3] = 0xc3;
        memcpy(frame + len, body, 4U + count);
        cr_assert_eq(decode(frame, len + 4 + count), CNV_E_MALFORMED);
        body[3] = 0;
    }
    cr_assert_str_eq(error.text,
                     "settled.scalars is not an array with at most this many numbers: 16");
}

Test(message, leaves_outputs_alone_when_it_is_refused, .timeout = 5)
{
    static const uint8_t bad[] = { 0x94, 1, CNV_KIND_ERROR, 5, 7 };
    struct cnv_message before;

    memset(&got, 0x5a, sizeof(got));
    before = got;
    cr_assert_eq(decode(bad, sizeof(bad)), CNV_E_MALFORMED);
    cr_assert_arr_eq((const char *) &got, (const char *) &before, sizeof(got));
    cr_assert_eq(error.status, CNV_E_MALFORMED);
}

Test(message, dump_is_one_line_and_keeps_the_token, .timeout = 5)
{
    message_fill(&sent, CNV_KIND_CREDIT, FILL_ZERO);
    sent.credit.limit = 8;
    sent.credit.rewind = true;
    cr_assert_str_eq(cnv_message_dump(&sent, text, sizeof(text)),
                     "credit transfer=0 attempt=0 next=0 limit=8 rewind=true");
    message_fill(&sent, CNV_KIND_ATTACH, FILL_LARGE);
    cr_assert_str_eq(cnv_message_dump(&sent, text, sizeof(text)), "attach token=*");
    cr_assert_str_eq(cnv_message_dump(&sent, text, 10), "attach to");
    cr_assert_str_eq(cnv_message_dump(&sent, text, 1), "");
    message_fill(&sent, CNV_KIND_OFFER, FILL_ZERO);
    strcpy(sent.offer.encoding, "f64");
    sent.offer.scalars.count = 2;
    sent.offer.scalars.at[1] = -0.5;
    cr_assert_not_null(strstr(cnv_message_dump(&sent, text, sizeof(text)), "encoding=\"f64\""));
    cr_assert_not_null(strstr(text, "scalars=[0,-0.5]"));
}
