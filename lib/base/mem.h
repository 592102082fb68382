/* mem.h - the only place that allocates: zeroed, overflow-checked, and able to fail on order. */
#ifndef CNV_BASE_MEM_H
#define CNV_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for n elements of size bytes, aligned to 64; NULL when n * size overflows or
 * memory is out. n = 0 gives a valid pointer. Release with cnv_free. */
void *cnv_array_new(size_t n, size_t size);

/* As above, but the memory is not zeroed: for large buffers that are filled whole before they are
 * read. Zeroing 64 MB takes 30 ms, most of it for pages that another thread is to fill. */
void *cnv_array_new_raw(size_t n, size_t size);

/* Grows or shrinks to n elements, keeping old_n; new elements are zero. On failure NULL, old kept.
 */
void *cnv_array_resize(void *array, size_t old_n, size_t n, size_t size);

/* A copy of text, or NULL. */
char *cnv_string_new(const char *text);

/* NULL is fine. */
void cnv_free(void *memory);

#define cnv_object_new(type) ((type *) cnv_array_new(1, sizeof(type)))

/* Test hook: the n-th allocation from now fails, and every one after it, until called with 0. */
void cnv_mem_fail_after(uint64_t n);

#endif
