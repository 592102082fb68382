/* CSV files as people have them, and what is said of those that cannot be used. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/shard.h"

static char folder[] = "/tmp/convene-test-csv-XXXXXX";
static char path[200];
static struct cnv_error err;
static struct cnv_shard *shard;
static struct cnv_data_options options;

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void) snprintf(path, sizeof(path), "%s/table.csv", folder);
    options = (struct cnv_data_options){ 0 };
}

static void teardown(void)
{
    cnv_shard_destroy(shard);
    (void) unlink(path);
    (void) rmdir(folder);
}

TestSuite(csv, .init = setup, .fini = teardown, .timeout = 20);

static enum cnv_status read_bytes(const char *text, size_t len)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
    cnv_shard_destroy(shard);
    shard = NULL;
    memset(&err, 0, sizeof(err));
    return cnv_shard_read(path, &options, &shard, &err);
}

/* Reads the text; features is "value,value|value,value": the rows, dense. */
static void take(const char *text, const double *labels, const char *features)
{
    char found[500] = "";
    size_t used = 0;

    cr_assert_eq(read_bytes(text, strlen(text)), CNV_OK, "%s", err.text);
    for (size_t row = 0; row < shard->rows; row++) {
        size_t at = shard->row_start[row];

        cr_expect_eq(shard->labels[row], labels[row], "row %zu: label %g", row, shard->labels[row]);
        for (size_t i = 0; i < shard->features; i++) {
            bool is_stored = at < shard->row_start[row + 1] && shard->columns[at] == i;

            used += (size_t) snprintf(found + used,
                                      sizeof(found) - used,
                                      "%s%g",
                                      i > 0     ? ","
                                      : row > 0 ? "|"
                                                : "",
                                      is_stored ? shard->values[at] : 0.0);
            at += is_stored;
        }
    }
    cr_assert_str_eq(found, features);
}

/* message is what stands behind the path. */
static void refuse(const char *text, const char *message)
{
    cr_assert_eq(read_bytes(text, strlen(text)), CNV_E_INPUT, "taken instead of \"%s\"", message);
    cr_assert_null(shard);
    cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    cr_assert_str_eq(err.text + strlen(path), message);
}

static const double two[] = { 1, -1 };

Test(csv, numbers_alone_are_rows_with_the_label_last)
{
    take("0.5,0,2,1\n1e-3,-.5,+3,-1\n", two, "0.5,0,2|0.001,-0.5,3");
    cr_assert_str_eq(shard->about,
                     "format=csv separator=comma header=no label_column=4 dropped=0 zeroed=0");
}

Test(csv, a_header_is_seen_and_may_name_the_label)
{
    take("a,Target,b\n1,1,2\n3,-1,4\n", two, "1,2|3,4");
    cr_assert_str_eq(shard->about,
                     "format=csv separator=comma header=yes label_column=2 dropped=0 zeroed=0");
    take("y,label,b\n1,2,1\n3,4,-1\n", two, "1,2|3,4");
    options.csv.label = "b";
    take("a,b,y\n1,1,2\n3,-1,4\n", two, "1,2|3,4");
    options.csv.label = "first";
    take("a,b,y\n1,5,2\n-1,3,4\n", two, "5,2|3,4");
    options.csv.label = "2";
    take("a,b,y\n1,1,2\n3,-1,4\n", two, "1,2|3,4");
}

Test(csv, separators_quotes_blanks_and_line_ends_are_taken)
{
    take("\xef\xbb\xbf\"a, \"\"b\"\"\";c;y\r\n\r\n \"1\" ; 2;1\r\n3;\"4\";-1", two, "1,2|3,4");
    take("a\tb\ty\n1\t2\t1\n\n3\t4\t-1\n", two, "1,2|3,4");
    take("# x,y\n1,1\n2,-1\n", two, "1|2");
    options.csv.label = "a, \"b\"";
    take("\"a, \"\"b\"\"\",c\n1,2\n-1,3\n", two, "2|3");
    options.csv.label = NULL;
    options.csv.separator = '\t';
    options.csv.header = CNV_CSV_HEADER_YES;
    take("a,b\ty\n1\t1\n3\t-1\n", two, "1|3");
}

Test(csv, a_column_may_be_left_out)
{
    options.csv.skip = "id,3";
    take("id,a,when,y\nx1,1,monday,1\nx2,2,tuesday,-1\n", two, "1|2");
    options.csv.skip = "id,y";
    refuse("id,a,when,y\nx1,1,2,1\n", ": column 4 is the label and cannot be in data/skip");
    options.csv.skip = "none";
    refuse("id,a,y\n1,1,2,1\n", ": data/skip=none: no such column; there are 3, \"id\" to \"y\"");
    options.csv.skip = "4";
    refuse("1,2,1\n",
           ": data/skip=4: the file has no header; allowed is a column's number from 1 to 3");
}

Test(csv, labels_may_be_words_that_are_named)
{
    static const double labels[] = { 1, 0 };

    options.csv.labels = "setosa,virginica";
    take("5.1,3.5,virginica\n4,2,setosa\n", labels, "5.1,3.5|4,2");
    take("a,b,kind\n5.1,3.5,virginica\n4,2,setosa\n", labels, "5.1,3.5|4,2");
    refuse("a,kind\n5.1,setos\n",
           ":2: column 2 (kind): expected one of data/labels=setosa,virginica as the label, found "
           "\"setos\"");
    options.csv.labels = NULL;
    refuse("5,setosa\n4,virginica\n3,?\n3,setosa\n",
           ":1: column 2: expected a number (a header: set data/header=yes); labels in words need "
           "data/labels=setosa,virginica, found \"setosa\"");
    refuse("a,kind\n5.1,setosa\n",
           ":2: column 2 (kind): expected a number as the label; labels in words need "
           "data/labels=setosa, found \"setosa\"");
}

Test(csv, a_missing_value_is_refused_unless_told_otherwise)
{
    static const double three[] = { 1, -1, 1 };
    const char *text = "a,b,y\n1,2,1\n?,3,-1\n4, NA ,1\n";

    refuse(text,
           ":3: column 1 (a): expected a number (data/missing=drop leaves such rows out, =zero "
           "takes 0), found \"?\"");
    options.csv.missing = CNV_CSV_MISSING_ZERO;
    take(text, three, "1,2|0,3|4,0");
    cr_assert_str_eq(shard->about,
                     "format=csv separator=comma header=yes label_column=3 dropped=0 zeroed=2");
    refuse("a,y\n1,\n",
           ":2: column 2 (y): expected a label (data/missing=drop leaves such rows out), found "
           "\"\"");
    options.csv.missing = CNV_CSV_MISSING_DROP;
    take("a,b,y\n1,2,1\n?,3,-1\n4,5,-1\n6,7,nan\n", two, "1,2|4,5");
    cr_assert_str_eq(shard->about,
                     "format=csv separator=comma header=yes label_column=3 dropped=2 zeroed=0");
    refuse("a,y\n1,\n", ": no rows without a missing value");
}

Test(csv, what_is_no_number_is_named_with_its_column)
{
    refuse("a,b,y\n1,red,1\n",
           ":2: column 2 (b): expected a number (data/skip leaves a column out), found \"red\"");
    refuse("a;b\n1,5;2\n",
           ":2: column 1 (a): expected a number (data/skip leaves a column out), found \"1,5\"");
    refuse("1,2\n3,inf\n", ":2: column 2: expected a number as the label, found \"inf\"");
    refuse("0,1,target\n1,2,3\n",
           ":1: column 3: expected a number (a header: set data/header=yes), found \"target\"");
    refuse("0,id,target\n1,2,3\n",
           ":1: column 3: expected a number (a header: set data/header=yes), found \"target\"");
    options.csv.header = CNV_CSV_HEADER_YES;
    take("0,1,target\n5,6,1\n7,8,-1\n", two, "5,6|7,8");
}

Test(csv, rows_of_another_length_are_named)
{
    refuse("a,b\n1,2\n1,2,3\n", ":3: expected 2 fields as in the lines before, found 3");
    refuse("1,2\n\n1\n", ":3: expected 2 fields as in the lines before, found 1");
}

Test(csv, a_quote_that_does_not_end_is_named)
{
    refuse("a,b\n1,\"2\n",
           ":2: column 2 (b): expected a quoted field that ends on its line, found \"2\"");
    refuse("a,b\n1,\"2\"3\n",
           ":2: column 2 (b): expected a separator behind the quoted field, found \"3\"");
}

Test(csv, a_label_column_that_is_not_there_is_named)
{
    options.csv.label = "kind";
    refuse("1,2\n",
           ": data/label=kind: the file has no header; allowed is a column's number from 1 "
           "to 2");
    refuse("a,b\n1,2\n", ": data/label=kind: no such column; there are 2, \"a\" to \"b\"");
    options.csv.label = "0";
    refuse("a,b\n1,2\n", ": data/label=0: no such column; there are 2, \"a\" to \"b\"");
}

Test(csv, a_file_without_rows_is_refused)
{
    refuse("a,b\n", ": no rows");
    refuse("\n\n", ": no rows");
}

Test(csv, content_tells_tables_from_libsvm)
{
    cr_assert(cnv_csv_matches("1,2,3\n"));
    cr_assert(cnv_csv_matches("\n\na;b\n"));
    cr_assert(cnv_csv_matches("1\t2\t3\n"));
    cr_assert(cnv_csv_matches("\xef\xbb\xbfx"));
    cr_assert_not(cnv_csv_matches("1 1:0.5 2:1\n"));
    cr_assert_not(cnv_csv_matches("1\t1:0.5\t2:1\n"));
    cr_assert_not(cnv_csv_matches("1\t\n1,2\n"));
    cr_assert_not(cnv_csv_matches("# a,b\n1 1:2\n"));
    cr_assert_not(cnv_csv_matches("1,2 1:0.5\n"));
    cr_assert_not(cnv_csv_matches("1 1:0.5 # a,b\n"));
    cr_assert_not(cnv_csv_matches(""));
}

Test(csv, a_table_and_its_libsvm_text_are_the_same_rows)
{
    struct cnv_shard *table = NULL;
    const char *rows = "0.1,0,-2,1\n0,1e-3,0,-1\n3,4,5,1\n";
    const char *text = "1 1:0.1 3:-2\n-1 2:1e-3\n1 1:3 2:4 3:5\n";
    size_t nonzeros = 0;

    options = (struct cnv_data_options){ .seed = 3, .shuffle = true };
    cr_assert_eq(read_bytes(rows, strlen(rows)), CNV_OK, "%s", err.text);
    table = shard;
    shard = NULL;
    options.format = CNV_FORMAT_LIBSVM;
    cr_assert_eq(read_bytes(text, strlen(text)), CNV_OK, "%s", err.text);
    nonzeros = shard->row_start[3];
    cr_expect_eq(table->features, shard->features);
    cr_expect_arr_eq(table->labels, shard->labels, 3 * sizeof(double));
    cr_expect_arr_eq(table->row_start, shard->row_start, 4 * sizeof(size_t));
    cr_expect_arr_eq(table->columns, shard->columns, nonzeros * sizeof(uint32_t));
    cr_expect_arr_eq(table->values, shard->values, nonzeros * sizeof(double));
    cnv_shard_destroy(table);
}

Test(csv, two_shards_are_the_file)
{
    options = (struct cnv_data_options){ .seed = 1, .shuffle = true, .shard = 2, .shards = 2 };
    cr_assert_eq(read_bytes("1,1\n2,2\n3,3\n4,4\n", 16), CNV_OK, "%s", err.text);
    cr_assert_eq(shard->rows, 2U);
    cr_assert_eq(shard->values[0], shard->labels[0]);
}
