/* mem.c - calloc with overflow checks, 64-byte alignment and a fault hook for tests. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MEM_ALIGNMENT = 64 };

static _Atomic uint64_t mem_countdown;

static int mem_is_refused(void)
{
    uint64_t left = atomic_load_explicit(&mem_countdown, memory_order_relaxed);

    if (left == 0) {
        return 0;
    }
    if (left == 1) {
        return 1;
    }
    atomic_store_explicit(&mem_countdown, left - 1, memory_order_relaxed);
    return 0;
}

void cnv_mem_fail_after(uint64_t n)
{
    atomic_store(&mem_countdown, n);
}

/* Sets *ret_bytes to what n elements take, rounded up to the alignment. */
static void *mem_new(size_t n, size_t size, size_t *ret_bytes)
{
    size_t bytes = 0;

    if (mem_is_refused() || __builtin_mul_overflow(n, size, &bytes) ||
        bytes > SIZE_MAX - MEM_ALIGNMENT) {
        return NULL;
    }
    *ret_bytes =
        bytes == 0 ? MEM_ALIGNMENT : (bytes + MEM_ALIGNMENT - 1) / MEM_ALIGNMENT * MEM_ALIGNMENT;
    return aligned_alloc(MEM_ALIGNMENT, *ret_bytes);
}

void *cnv_array_new_raw(size_t n, size_t size)
{
    size_t bytes = 0;

    return mem_new(n, size, &bytes);
}

void *cnv_array_new(size_t n, size_t size)
{
    size_t bytes = 0;
    void *memory = mem_new(n, size, &bytes);

    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *cnv_array_resize(void *array, size_t old_n, size_t n, size_t size)
{
    void *grown = cnv_array_new(n, size);

    if (grown != NULL && array != NULL) {
        memcpy(grown, array, (old_n < n ? old_n : n) * size);
        cnv_free(array);
    }
    return grown;
}

char *cnv_string_new(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = cnv_array_new(size, 1);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void cnv_free(void *memory)
{
    free(memory);
}
