/*
 * text.c - the check of text fields.
 *
 * Names and reasons of a peer end up in logs, on terminals and in JSON, where a control character
 * or a broken sequence does harm. Ranges of second bytes: Unicode 15, table 3-7.
 */
#include "text.h"

#include <stdint.h>
#include <string.h>

static size_t text_character(const uint8_t *p, size_t len)
{
    size_t more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4 || more >= len || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i <= more; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return more + 1;
}

size_t cnv_text_valid(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t bytes = text_character((const uint8_t *) text + at, len - at);

        if (bytes == 0) {
            break;
        }
        at += bytes;
    }
    return at;
}

void cnv_text_mend(char *text)
{
    size_t len = strlen(text);

    for (size_t at = cnv_text_valid(text, len); at < len;) {
        text[at++] = '?';
        at += cnv_text_valid(text + at, len - at);
    }
}
