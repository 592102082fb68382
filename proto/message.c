/*
 * message.c - header frame <-> struct, by walking the tables made of schema.h.
 *
 * Encoding writes into the caller's buffer and never fails with CNV_HEADER_MAX bytes (proved by a
 * static assertion per kind). Decoding scans the frame first, so that msgpack-c allocates at most
 * a small multiple of the frame; nothing it returns outlives the call.
 */
#include "proto/message.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

#include "proto/fields.h"
#include "text.h"

/* In msgpack no field takes more than twice the bytes it has in the struct; 13 for what precedes.
 */
#define SIZE_CHECK(symbol, number, name, sender, payload)                                          \
    static_assert(2 * sizeof(struct cnv_msg_##name) + 13 <= CNV_HEADER_MAX,                        \
                  #name " may pass CNV_HEADER_MAX");
CNV_MESSAGE_LIST(SIZE_CHECK)

struct output {
    uint8_t *bytes;
    size_t size;
    size_t len;
};

static int output_write(void *data, const char *bytes, size_t len)
{
    struct output *output = data;

    if (len > output->size - output->len) {
        return -1;
    }
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
    return 0;
}

/* Text the receiver would refuse is mended here: what is bad becomes '?'. */
static int pack_text(msgpack_packer *packer, const char *text, size_t limit)
{
    size_t len = strnlen(text, limit);
    size_t good = cnv_text_valid(text, len);

    if (msgpack_pack_str(packer, len) != 0) {
        return -1;
    }
    while (good < len) {
        if (msgpack_pack_str_body(packer, text, good) != 0 ||
            msgpack_pack_str_body(packer, "?", 1) != 0) {
            return -1;
        }
        text += good + 1;
        len -= good + 1;
        good = cnv_text_valid(text, len);
    }
    return msgpack_pack_str_body(packer, text, len);
}

static int pack_numbers(msgpack_packer *packer, const void *value, size_t limit)
{
    const uint32_t *count = value;
    const double *at = (const void *) ((const uint8_t *) value + CNV_F64S_AT);
    int failed = 0;

    assert(*count <= limit);
    failed = msgpack_pack_array(packer, *count);
    for (uint32_t i = 0; i < *count && failed == 0; i++) {
        failed = msgpack_pack_double(packer, at[i]);
    }
    return failed;
}

static int pack_field(msgpack_packer *packer, const struct cnv_field *field, const void *value)
{
    switch (field->type) {
    case CNV_TYPE_U64:
        return msgpack_pack_uint64(packer, *(const uint64_t *) value);
    case CNV_TYPE_F64:
    case CNV_TYPE_SOME:
        return msgpack_pack_double(packer, *(const double *) value);
    case CNV_TYPE_BOOL:
        return *(const bool *) value ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    case CNV_TYPE_STR:
        return pack_text(packer, value, field->limit);
    case CNV_TYPE_F64S:
    default:
        return pack_numbers(packer, value, field->limit);
    }
}

size_t cnv_message_encode(const struct cnv_message *message, uint8_t *bytes, size_t size)
{
    struct output output = { .size = size };
    struct cnv_fields fields;
    msgpack_packer packer;
    uint32_t version = message->version != 0 ? message->version : CNV_PROTOCOL_VERSION;
    int failed = 0;

    if (!cnv_fields_find(message->kind, &fields)) {
        return 0;
    }
    output.bytes = bytes;
    msgpack_packer_init(&packer, &output, output_write);
    failed = msgpack_pack_array(&packer, 2 + fields.count) != 0 ||
             msgpack_pack_uint32(&packer, version) != 0 ||
             msgpack_pack_uint32(&packer, (uint32_t) message->kind) != 0;
    for (size_t i = 0; i < fields.count && failed == 0; i++) {
        const struct cnv_field *field = &fields.at[i];

        failed = pack_field(&packer, field, (const uint8_t *) message + field->offset);
    }
    return failed == 0 ? output.len : 0;
}

/* Any number msgpack can write; false for what is no number. */
static bool read_number(const msgpack_object *object, double *ret_number)
{
    switch (object->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        *ret_number = (double) object->via.u64;
        return true;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        *ret_number = (double) object->via.i64;
        return true;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        *ret_number = object->via.f64;
        return true;
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BOOLEAN:
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
    default:
        return false;
    }
}

static bool read_integer(const msgpack_object *object, uint64_t *ret_integer)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
        return false;
    }
    *ret_integer = object->via.u64;
    return true;
}

static bool read_bool(const msgpack_object *object, bool *ret_bool)
{
    if (object->type != MSGPACK_OBJECT_BOOLEAN) {
        return false;
    }
    *ret_bool = object->via.boolean;
    return true;
}

static bool read_text(const msgpack_object *object, size_t limit, char *ret_text)
{
    const msgpack_object_str *text = &object->via.str;

    if (object->type != MSGPACK_OBJECT_STR || text->size > limit ||
        cnv_text_valid(text->ptr, text->size) != text->size) {
        return false;
    }
    if (text->size > 0) { /* msgpack-c gives NULL for an empty text */
        memcpy(ret_text, text->ptr, text->size);
    }
    ret_text[text->size] = '\0';
    return true;
}

static bool read_numbers(const msgpack_object *object, size_t limit, void *ret_value)
{
    const msgpack_object_array *array = &object->via.array;
    uint32_t *ret_count = ret_value;
    double *ret_at = (void *) ((uint8_t *) ret_value + CNV_F64S_AT);

    if (object->type != MSGPACK_OBJECT_ARRAY || array->size > limit) {
        return false;
    }
    *ret_count = array->size;
    for (uint32_t i = 0; i < array->size; i++) {
        if (!read_number(&array->ptr[i], &ret_at[i])) {
            return false;
        }
    }
    return true;
}

static bool read_field(const msgpack_object *object, const struct cnv_field *field, void *ret_value)
{
    switch (field->type) {
    case CNV_TYPE_U64:
        return read_integer(object, ret_value);
    case CNV_TYPE_F64:
    case CNV_TYPE_SOME:
        return read_number(object, ret_value);
    case CNV_TYPE_BOOL:
        return read_bool(object, ret_value);
    case CNV_TYPE_STR:
        return read_text(object, field->limit, ret_value);
    case CNV_TYPE_F64S:
    default:
        return read_numbers(object, field->limit, ret_value);
    }
}

/* Says what would have been allowed. */
static enum cnv_status
refuse_field(const struct cnv_fields *fields, const struct cnv_field *field, struct cnv_error *err)
{
    static const char *const allowed[] = {
        [CNV_TYPE_U64] = "an unsigned integer",
        [CNV_TYPE_F64] = "a number",
        [CNV_TYPE_BOOL] = "true or false",
        [CNV_TYPE_STR] = "one line of UTF-8 with at most this many bytes",
        [CNV_TYPE_F64S] = "an array with at most this many numbers",
        [CNV_TYPE_SOME] = "a number",
    };

    if (field->limit == 0) {
        return cnv_fail(err,
                        CNV_E_MALFORMED,
                        "%s.%s is not %s",
                        fields->kind,
                        field->name,
                        allowed[field->type]);
    }
    return cnv_fail(err,
                    CNV_E_MALFORMED,
                    "%s.%s is not %s: %zu",
                    fields->kind,
                    field->name,
                    allowed[field->type],
                    field->limit);
}

static enum cnv_status read_fields(const msgpack_object_array *array,
                                   const struct cnv_fields *fields,
                                   struct cnv_message *message,
                                   struct cnv_error *err)
{
    size_t count = array->size - 2 < fields->count ? array->size - 2 : fields->count;

    if (count < fields->count && fields->at[count].type != CNV_TYPE_SOME) {
        return cnv_fail(
            err, CNV_E_MALFORMED, "%s lacks the field %s", fields->kind, fields->at[count].name);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cnv_field *field = &fields->at[i];

        if (!read_field(&array->ptr[2 + i], field, (uint8_t *) message + field->offset)) {
            return refuse_field(fields, field, err);
        }
    }
    return CNV_OK;
}

/* Fills message as far as its version and kind allow. */
static enum cnv_status
read_message(const msgpack_object *object, struct cnv_message *message, struct cnv_error *err)
{
    const msgpack_object_array *array = &object->via.array;
    struct cnv_fields fields;
    uint64_t version = 0;
    uint64_t kind = 0;

    if (object->type != MSGPACK_OBJECT_ARRAY || array->size < 2 ||
        array->ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        array->ptr[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
        return cnv_fail(err, CNV_E_MALFORMED, "header is not an array [version, kind, ...]");
    }
    version = array->ptr[0].via.u64;
    kind = array->ptr[1].via.u64;
    /* Clamped, so that a huge number does not turn into a small one. */
    message->version = version <= UINT32_MAX ? (uint32_t) version : UINT32_MAX;
    message->kind = kind <= INT32_MAX ? (enum cnv_kind) kind : (enum cnv_kind) INT32_MAX;

    if ((version < CNV_PROTOCOL_OLDEST || version > CNV_PROTOCOL_VERSION) &&
        message->kind != CNV_KIND_HELLO && message->kind != CNV_KIND_ERROR) {
        return cnv_fail(err,
                        CNV_E_VERSION,
                        "protocol version %llu is not one of %d to %d",
                        (unsigned long long) version,
                        CNV_PROTOCOL_OLDEST,
                        CNV_PROTOCOL_VERSION);
    }
    if (!cnv_fields_find(message->kind, &fields)) {
        return cnv_fail(
            err, CNV_E_KIND, "message kind %llu is not known", (unsigned long long) kind);
    }
    return read_fields(array, &fields, message, err);
}

enum cnv_status cnv_message_decode(const uint8_t *bytes,
                                   size_t len,
                                   struct cnv_message *ret_message,
                                   struct cnv_error *err)
{
    struct cnv_message message = { .version = 0 };
    msgpack_unpacked unpacked;
    msgpack_unpack_return result = MSGPACK_UNPACK_SUCCESS;
    enum cnv_status status = cnv_header_scan(bytes, len, err);

    if (status != CNV_OK) {
        return status;
    }
    msgpack_unpacked_init(&unpacked);
    result = msgpack_unpack_next(&unpacked, (const char *) bytes, len, NULL);
    if (result == MSGPACK_UNPACK_SUCCESS) {
        status = read_message(&unpacked.data, &message, err);
    } else if (result == MSGPACK_UNPACK_NOMEM_ERROR) {
        status = cnv_fail(err, CNV_E_NOMEM, "no memory to read a header of %zu bytes", len);
    } else {
        status = cnv_fail(err, CNV_E_MALFORMED, "header is not msgpack");
    }
    msgpack_unpacked_destroy(&unpacked);
    if (status == CNV_OK || status == CNV_E_KIND || status == CNV_E_VERSION) {
        *ret_message = message;
    }
    return status;
}

uint32_t cnv_version_agree(uint64_t version_min, uint64_t version_max)
{
    uint64_t newest = version_max < CNV_PROTOCOL_VERSION ? version_max : CNV_PROTOCOL_VERSION;

    return newest >= CNV_PROTOCOL_OLDEST && newest >= version_min ? (uint32_t) newest : 0;
}
