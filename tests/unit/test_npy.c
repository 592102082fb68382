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

static struct cnv_error err;

/* A file with that dictionary and len zero bytes behind it. */
static enum cnv_status parse(const char *dictionary, size_t len, struct cnv_npy *npy)
{
    uint8_t file[1000] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0 };

    file[8] = (uint8_t) strlen(dictionary);
    memcpy(file + 10, dictionary, strlen(dictionary));
    return cnv_npy_parse(file, 10 + strlen(dictionary) + len, npy, &err);
}

Test(npy, reads_back_what_it_wrote, .timeout = 5)
{
    uint8_t file[CNV_NPY_HEAD_SIZE + 12] = { 0 };
    struct cnv_npy npy;

    (void) cnv_npy_head("f32", 3, file);
    cr_assert_eq(cnv_npy_parse(file, sizeof(file), &npy, &err), CNV_OK, "%s", err.text);
    cr_assert_eq(npy.length, 3U);
    cr_assert_eq(npy.offset, (size_t) CNV_NPY_HEAD_SIZE);
    cr_assert_str_eq(npy.encoding->name, "f32");
    cr_assert_eq(cnv_npy_parse(file, sizeof(file) - 1, &npy, &err), CNV_E_INPUT);
}

Test(npy, takes_any_shape_in_c_order, .timeout = 5)
{
    struct cnv_npy npy;

    cr_assert_eq(parse("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", 48, &npy),
                 CNV_OK,
                 "%s",
                 err.text);
    cr_assert_eq(npy.length, 6U);
}

Test(npy, refuses_what_is_no_model, .timeout = 5)
{
    static const struct {
        const char *dictionary;
        const char *message;
    } rows[] = {
        { "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
          "expected float32 or float64 numbers, found '<i8', '" },
        { "{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }",
          "expected an array in C order" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (2,", "expected an array in C order" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }",
          "expected an array in C order" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }",
          "its head speaks of 3 numbers, 16 bytes follow" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }",
          "its head speaks of 0 numbers, 16 bytes follow" },
        { "{'shape': (4294967296, 4294967296), 'fortran_order': False, 'descr': '<f8'}",
          "expected an array in C order" },
    };
    struct cnv_npy npy;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(parse(rows[i].dictionary, 16, &npy), CNV_E_INPUT, "%s", rows[i].dictionary);
        cr_expect_str_eq(err.text, rows[i].message);
    }
    cr_expect_eq(cnv_npy_parse((const uint8_t *) "PK", 2, &npy, &err), CNV_E_INPUT);
    cr_expect_str_eq(err.text, "not a NumPy file");
}
