/* list.c - see list.h. No sign, no spaces, no empty places: what strtoull lets pass is too much. */
#include "base/list.h"

#include <string.h>

enum { DIGITS_MAX = 15 };

bool cnv_list_read(const char *text, uint64_t *values, size_t capacity, size_t *ret_count)
{
    size_t count = 0;

    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789");
        bool goes_on = text[digits] == ',' && text[digits + 1] != '\0';
        uint64_t value = 0;

        if (digits == 0 || digits > DIGITS_MAX || count == capacity ||
            (text[digits] != '\0' && !goes_on)) {
            return false;
        }
        for (size_t i = 0; i < digits; i++) {
            value = 10 * value + (uint64_t) (text[i] - '0');
        }
        values[count++] = value;
        text += digits + goes_on;
    }
    *ret_count = count;
    return true;
}
