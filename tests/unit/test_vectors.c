/*
 * test_vectors.c - proto/vectors.txt against the code, in both directions.
 *
 * Its bytes were made with other libraries, so this is where a codec that agrees only with itself
 * is found. The head of the file describes its blocks.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "encodings/blocks.h"
#include "proto/fields.h"
#include "proto/vector.h"
#include "tests/support/message_fill.h"
#include "tests/support/source_file.h"

enum { LINES_MAX = 40 };

/* One block: lines of "key value". Texts lie in the file's buffer. */
struct block {
    unsigned at; /* line of the file */
    size_t count;
    const char *keys[LINES_MAX];
    const char *values[LINES_MAX];
};

static char *next_line(char **rest, unsigned *at)
{
    char *line = strsep(rest, "\n");

    *at += 1;
    return line;
}

/* Cuts the next block out of rest; false at the end. */
static bool next_block(char **rest, unsigned *at, struct block *ret_block)
{
    char *line = NULL;

    ret_block->count = 0;
    while ((line = next_line(rest, at)) != NULL) {
        char *value = strchr(line, ' ');

        if (line[0] == '#' || (line[0] == '\0' && ret_block->count == 0)) {
            continue;
        }
        if (line[0] == '\0') {
            return true;
        }
        cr_assert_lt(ret_block->count, LINES_MAX, "vectors.txt:%u: block too long", *at);
        if (value != NULL) {
            *value++ = '\0';
        }
        ret_block->at = ret_block->count == 0 ? *at : ret_block->at;
        ret_block->keys[ret_block->count] = line;
        ret_block->values[ret_block->count++] = value != NULL ? value : "";
    }
    return ret_block->count > 0;
}

static const char *value_of(const struct block *block, const char *key)
{
    for (size_t i = 1; i < block->count; i++) {
        if (strcmp(block->keys[i], key) == 0) {
            return block->values[i];
        }
    }
    cr_assert_fail("vectors.txt:%u: block lacks %s", block->at, key);
    return "";
}

static uint64_t integer_of(const struct block *block, const char *key)
{
    char *end = NULL;
    uint64_t value = strtoull(value_of(block, key), &end, 10);

    cr_assert(*end == '\0', "vectors.txt:%u: %s is no integer", block->at, key);
    return value;
}

static size_t bytes_of(const struct block *block, const char *key, uint8_t *bytes, size_t size)
{
    const char *hex = value_of(block, key);
    size_t len = strlen(hex) / 2;

    cr_assert(strlen(hex) % 2 == 0 && len <= size, "vectors.txt:%u: %s is no hex", block->at, key);
    for (size_t i = 0; i < len; i++) {
        const char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        char *end = NULL;

        bytes[i] = (uint8_t) strtoul(two, &end, 16);
        cr_assert(*end == '\0', "vectors.txt:%u: %s is no hex", block->at, key);
    }
    return len;
}

/* "[1.0, 2.0]" */
static size_t numbers_of(const char *list, double *numbers, size_t size)
{
    size_t count = 0;

    cr_assert_eq(*list, '[');
    list++;
    while (*list != ']') {
        char *end = NULL;

        cr_assert_lt(count, size);
        numbers[count++] = strtod(list, &end);
        cr_assert_neq(end, list, "\"%s\" is no number", list);
        list = *end == ',' ? end + 1 : end;
    }
    return count;
}

static void set_field(const struct cnv_field *field, const char *text, void *value)
{
    size_t len = strlen(text);
    double at[16];

    switch (field->type) {
    case CNV_TYPE_U64:
        *(uint64_t *) value = strtoull(text, NULL, 10);
        break;
    case CNV_TYPE_F64:
    case CNV_TYPE_SOME:
        *(double *) value = strtod(text, NULL);
        break;
    case CNV_TYPE_BOOL:
        *(bool *) value = strcmp(text, "true") == 0;
        break;
    case CNV_TYPE_STR:
        cr_assert(len >= 2 && len - 2 <= field->limit && text[0] == '"' && text[len - 1] == '"');
        memcpy(value, text + 1, len - 2);
        break;
    case CNV_TYPE_F64S:
    default:
        *(uint32_t *) value = (uint32_t) numbers_of(text, at, field->limit);
        memcpy((uint8_t *) value + CNV_F64S_AT, at, *(uint32_t *) value * sizeof(double));
        break;
    }
}

/* Reads the fields named behind the line "protocol"; they must be all, in order. */
static void message_of(const struct block *block, struct cnv_message *ret_message)
{
    struct cnv_fields fields;
    size_t first = 1;

    memset(ret_message, 0, sizeof(*ret_message));
    for (int kind = 1; strcmp(cnv_kind_name(ret_message->kind), block->values[0]) != 0; kind++) {
        cr_assert_lt(kind, 100, "vectors.txt:%u: no kind %s", block->at, block->values[0]);
        ret_message->kind = (enum cnv_kind) kind;
    }
    cr_assert(cnv_fields_find(ret_message->kind, &fields));
    ret_message->version = (uint32_t) integer_of(block, "protocol");
    while (strcmp(block->keys[first], "protocol") != 0) {
        first++;
    }
    for (size_t i = 0; i < fields.count; i++) {
        const struct cnv_field *field = &fields.at[i];
        size_t line = first + 1 + i;

        cr_assert(line < block->count && strcmp(block->keys[line], field->name) == 0,
                  "vectors.txt:%u: the field %s.%s is not in its place",
                  block->at,
                  fields.kind,
                  field->name);
        set_field(field, block->values[line], (uint8_t *) ret_message + field->offset);
    }
}

static void check_message(const struct block *block, bool is_written_so)
{
    uint8_t want[CNV_HEADER_MAX];
    uint8_t have[CNV_HEADER_MAX];
    char hex[2 * CNV_HEADER_MAX + 1] = "";
    struct cnv_message message;
    struct cnv_message read;
    struct cnv_error error = { .text = "" };
    size_t len = bytes_of(block, "header", want, sizeof(want));
    size_t have_len = 0;

    message_of(block, &message);
    have_len = cnv_message_encode(&message, have, sizeof(have));
    for (size_t i = 0; i < have_len; i++) {
        (void) snprintf(hex + 2 * i, 3, "%02x", have[i]);
    }
    cr_assert_eq(is_written_so,
                 have_len == len && memcmp(want, have, len) == 0,
                 "vectors.txt:%u: the fields are written as\nheader %s",
                 block->at,
                 hex);
    cr_assert_eq(cnv_message_decode(want, len, &read, &error),
                 CNV_OK,
                 "vectors.txt:%u: %s",
                 block->at,
                 error.text);
    cr_assert(message_equal(&message, &read),
              "vectors.txt:%u: the header is read as %s",
              block->at,
              cnv_message_dump(&read, hex, sizeof(hex)));
}

static void check_refusal(const struct block *block)
{
    uint8_t bytes[CNV_HEADER_MAX + 1];
    size_t len = bytes_of(block, "header", bytes, sizeof(bytes));
    struct cnv_message message;
    struct cnv_error error = { .text = "" };
    int status = cnv_message_decode(bytes, len, &message, &error);

    cr_assert_eq(
        -status,
        atoi(block->values[0]), /* NOLINT(cert-err34-c): a wrong number fails the comparison */
        "vectors.txt:%u: %s: answered with %d %s",
        block->at,
        value_of(block, "why"),
        -status,
        error.text);
}

static void check_crc(const struct block *block)
{
    uint8_t bytes[256];
    size_t len = bytes_of(block, "bytes", bytes, sizeof(bytes));

    cr_assert_eq(cnv_crc32c(0, bytes, len), integer_of(block, "crc"), "vectors.txt:%u", block->at);
}

static void check_blocks(const struct block *block)
{
    double values[32];
    double want[32];
    double have[32] = { 0 };
    double numbers[32];
    uint32_t ids[32];
    uint8_t payload[256];
    uint8_t bytes[256] = { 0 };
    struct cnv_blocks blocks = {
        .values = values,
        .length = numbers_of(value_of(block, "values"), values, 32),
        .block = integer_of(block, "block"),
        .ids = ids,
        .count = numbers_of(value_of(block, "blocks"), numbers, 32),
    };
    size_t len = bytes_of(block, "payload", payload, sizeof(payload));
    struct cnv_blocks_walk walk;

    for (size_t i = 0; i < blocks.count; i++) {
        ids[i] = (uint32_t) numbers[i];
    }
    cr_assert_eq(numbers_of(value_of(block, "decoded"), want, 32), blocks.length);
    cr_assert_eq(cnv_blocks_size(&blocks), len);
    cnv_blocks_encode(&blocks, bytes);
    cr_assert(same_bits(bytes, payload, len), "vectors.txt:%u: payload differs", block->at);
    cr_assert_eq(cnv_blocks_check(payload, len, len, blocks.length, NULL), CNV_OK);
    cnv_blocks_begin(&walk, payload, blocks.length, 0, blocks.length);
    while (cnv_blocks_next(&walk)) {
        memcpy(have + walk.at,
               payload + cnv_blocks_head_len(payload) + walk.consumed * sizeof(double),
               walk.len * sizeof(double));
    }
    cr_assert(same_bits(have, want, blocks.length * sizeof(double)));
}

static void check_encoding(const struct block *block)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(block->values[0]);
    double values[32];
    double want[32];
    double have[32];
    double reference[32];
    uint8_t payload[256];
    uint8_t bytes[256] = { 0 };
    size_t written = numbers_of(value_of(block, "values"), values, 32);
    size_t count = numbers_of(value_of(block, "decoded"), want, 32);
    size_t len = bytes_of(block, "payload", payload, sizeof(payload));

    cr_assert_not_null(encoding, "vectors.txt:%u: no encoding %s", block->at, block->values[0]);
    if (encoding->is_relative) {
        cr_assert_eq(numbers_of(value_of(block, "reference"), reference, 32), count);
    }
    cr_assert_eq(encoding->size(count), len);
    if (encoding->encode_random == NULL) { /* else only the mean is given */
        encoding->encode(values, written, bytes);
        cr_assert(same_bits(bytes, payload, len), "vectors.txt:%u: payload differs", block->at);
    }
    encoding->decode(payload, count, encoding->is_relative ? reference : NULL, have);
    cr_assert(same_bits(have, want, count * sizeof(double)), "vectors.txt:%u: decoded", block->at);
}

static void check_digest(const struct block *block)
{
    const struct cnv_encoding_ops *encoding = cnv_encoding_find(block->values[0]);
    size_t length = integer_of(block, "length");
    double *values = cnv_array_new(length, sizeof(double));
    uint8_t *bytes = cnv_array_new(length, sizeof(double));

    cr_assert(encoding != NULL && values != NULL && bytes != NULL);
    for (size_t i = 0; i < length; i++) {
        values[i] = (double) i / 8 - 100;
    }
    encoding->encode(values, length, bytes);
    cr_assert_eq(cnv_vector_digest(encoding, bytes, length),
                 integer_of(block, "digest"),
                 "vectors.txt:%u",
                 block->at);
    cnv_free(values);
    cnv_free(bytes);
}

static void check_block(const struct block *block)
{
    const char *what = block->keys[0];

    if (strcmp(what, "message") == 0) {
        check_message(block, true);
    } else if (strcmp(what, "accept") == 0) {
        check_message(block, false);
    } else if (strcmp(what, "refuse") == 0) {
        check_refusal(block);
    } else if (strcmp(what, "crc32c") == 0) {
        check_crc(block);
    } else if (strcmp(what, "encode") == 0 && strcmp(block->values[0], "blocks") == 0) {
        check_blocks(block);
    } else if (strcmp(what, "encode") == 0) {
        check_encoding(block);
    } else if (strcmp(what, "digest") == 0) {
        check_digest(block);
    } else {
        cr_assert_fail("vectors.txt:%u: no block is called %s", block->at, what);
    }
}

Test(vectors, agree_with_the_code_both_ways, .timeout = 20)
{
    char *text = source_file_read("proto/vectors.txt");
    char *rest = text;
    struct block block;
    unsigned at = 0;
    size_t blocks = 0;

    cr_assert_not_null(text, "proto/vectors.txt cannot be read");
    while (next_block(&rest, &at, &block)) {
        check_block(&block);
        blocks++;
    }
    cr_assert_gt(blocks, 50);
    cnv_free(text);
}

#define KIND_NAME(symbol, number, name, sender, payload) "\nmessage " #name "\n",

Test(vectors, show_every_kind_and_encoding, .timeout = 10)
{
    static const char *const kinds[] = { CNV_MESSAGE_LIST(KIND_NAME) };
    char *text = source_file_read("proto/vectors.txt");
    char block[64];

    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        cr_assert_not_null(strstr(text, kinds[i]), "vectors.txt lacks a block%s", kinds[i]);
    }
    for (size_t i = 0; cnv_encoding_at(i) != NULL; i++) {
        (void) snprintf(block, sizeof(block), "\nencode %s\n", cnv_encoding_at(i)->name);
        cr_assert_not_null(strstr(text, block), "vectors.txt lacks a block%s", block);
    }
    cnv_free(text);
}
