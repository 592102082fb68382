#include <criterion/criterion.h>

#include "base/blob.h"
#include "base/mem.h"

static void count_release(void *hint)
{
    ++*(int *) hint;
}

Test(blob, last_unref_releases_wrapped_bytes_once, .timeout = 5)
{
    int released = 0;
    struct cnv_blob *blob = cnv_blob_wrap("abc", 3, count_release, &released);

    cr_assert_eq(cnv_blob_ref(blob), blob);
    cnv_blob_unref(blob);
    cr_assert_eq(released, 0);
    cnv_blob_unref(blob);
    cr_assert_eq(released, 1);
    cr_assert_eq(cnv_blob_alive(), 0);
}

Test(blob, null_is_fine, .timeout = 5)
{
    cr_assert_null(cnv_blob_ref(NULL));
    cnv_blob_unref(NULL);
    cr_assert_eq(cnv_blob_len(NULL), 0);
}

Test(blob, failed_allocation_leaves_nothing_behind, .timeout = 5)
{
    for (uint64_t n = 1; n <= 2; n++) {
        cnv_mem_fail_after(n);
        cr_assert_null(cnv_blob_copy("abc", 3));
        cnv_mem_fail_after(0);
        cr_assert_eq(cnv_blob_alive(), 0);
    }
}

Test(mem, product_of_sizes_cannot_overflow, .timeout = 5)
{
    cr_assert_null(cnv_array_new(SIZE_MAX / 2, 3));
    cr_assert_null(cnv_array_new(SIZE_MAX, 1));
}
