/* list.h - whole numbers with commas between them, as some settings hold them: "64,32". */
#ifndef CNV_BASE_LIST_H
#define CNV_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads text into values[capacity]; an empty text is an empty list. False, and no count, when it
 * is anything but whole numbers of at most 15 digits, or longer than capacity.
 */
bool cnv_list_read(const char *text, uint64_t *values, size_t capacity, size_t *ret_count);

#endif
