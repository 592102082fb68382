/* test_npy.c - the head of a .npy file, as NumPy's format description (version 1.0) has it. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/npy.h"

Test(npy, head_is_what_numpy_reads, .timeout = 5)
{
    uint8_t head[CNV_NPY_HEAD_SIZE];
    static const char dictionary[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (123,), }";

    cr_assert_eq(cnv_npy_head("f64", 123, head), CNV_NPY_HEAD_SIZE);
    cr_assert_arr_eq(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    cr_assert_arr_eq(head + 10, dictionary, sizeof(dictionary) - 1);
    cr_assert_eq(head[CNV_NPY_HEAD_SIZE - 2], ' ');
    cr_assert_eq(head[CNV_NPY_HEAD_SIZE - 1], '\n');
}

Test(npy, largest_length_fits, .timeout = 5)
{
    uint8_t head[CNV_NPY_HEAD_SIZE];

    cr_assert_eq(cnv_npy_head("f32", UINT64_MAX, head), CNV_NPY_HEAD_SIZE);
    cr_assert_not_null(memmem(head, sizeof(head), "(18446744073709551615,)", 23));
    cr_assert_eq(head[CNV_NPY_HEAD_SIZE - 1], '\n');
}

Test(npy, refuses_an_encoding_that_is_no_plain_array, .timeout = 5)
{
    uint8_t head[CNV_NPY_HEAD_SIZE];

    cr_assert_eq(cnv_npy_head("scaled", 1, head), 0);
}
