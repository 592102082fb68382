/* columns.c - counts columns, not bytes. */
#include "columns.h"

#include <string.h>
#include <uchar.h>
#include <wchar.h>

size_t cnv_columns_put(FILE *out, const char *text, size_t columns, bool is_utf8)
{
    mbstate_t state = { 0 };
    size_t left = strlen(text);
    size_t used = 0;

    while (left > 0) {
        bool is_ascii = (unsigned char) *text < 0x80;
        char32_t wide = (unsigned char) *text;
        size_t len = is_ascii || !is_utf8 ? 1 : mbrtoc32(&wide, text, left, &state);
        int width = -1;

        if (len == 0 || len > left) {
            len = 1;
            memset(&state, 0, sizeof(state));
        } else if (is_ascii) {
            width = wide >= ' ' && wide != 0x7F ? 1 : -1;
        } else if (is_utf8) {
            width = wcwidth((wchar_t) wide);
        } else if (((unsigned char) *text & 0xC0U) == 0x80U) {
            width = 0; /* its first byte has become the '?' */
        }
        size_t wanted = width < 0 ? 1 : (size_t) width;
        if (used + wanted > columns) {
            break;
        }
        if (width < 0) {
            (void) fputc('?', out);
        } else if (is_ascii || is_utf8) {
            (void) fwrite(text, 1, len, out);
        }
        used += wanted;
        text += len;
        left -= len;
    }
    return used;
}
