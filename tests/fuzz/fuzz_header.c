/*
 * fuzz_header.c - any bytes as a header frame.
 *
 * Decoding says no in a known way, or gives a message that survives being written, read and written
 * again. What msgpack-c allocates is bounded by the scan, which libFuzzer's own memory limit
 * checks.
 */
#include <assert.h>
#include <string.h>

#include "proto/message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t once[CNV_HEADER_MAX];
    uint8_t twice[CNV_HEADER_MAX];
    char text[512];
    struct cnv_message message;
    struct cnv_message again;
    struct cnv_error error = { .status = CNV_OK };
    enum cnv_status status = cnv_message_decode(data, size, &message, &error);
    size_t len = 0;

    if (status != CNV_OK) {
        assert(status == CNV_E_MALFORMED || status == CNV_E_KIND || status == CNV_E_VERSION);
        assert(error.status == status && error.text[0] != '\0');
        return 0;
    }
    if (message.version == 0) { /* a hello or error may say so; it is written as the newest */
        message.version = CNV_PROTOCOL_VERSION;
    }
    len = cnv_message_encode(&message, once, sizeof(once));
    assert(len > 0);
    status = cnv_message_decode(once, len, &again, &error);
    assert(status == CNV_OK);
    assert(cnv_message_encode(&again, twice, sizeof(twice)) == len &&
           memcmp(once, twice, len) == 0);
    (void) cnv_message_dump(&message, text, sizeof(text));
    assert(strlen(text) < sizeof(text));
    return 0;
}
