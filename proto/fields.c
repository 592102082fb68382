/* fields.c - makes the tables of fields.h out of the lists of schema.h, once per kind. */
#include "proto/fields.h"

#define FIELD_ROW(field_type, field, field_limit, text)                                            \
    { .name = #field,                                                                              \
      .type = CNV_TYPE_##field_type,                                                               \
      .offset = offsetof(struct cnv_message, hello) + offsetof(self, field),                       \
      .limit = (field_limit),                                                                      \
      .meaning = (text) },

#define FIELDS_CASE(symbol, number, name, from, frame)                                             \
    case CNV_KIND_##symbol: {                                                                      \
        typedef struct cnv_msg_##name self;                                                        \
        static const struct cnv_field rows[] = { CNV_##symbol##_FIELDS(FIELD_ROW) };               \
        *ret_fields = (struct cnv_fields){ .kind = #name,                                          \
                                           .sender = #from,                                        \
                                           .payload = #frame,                                      \
                                           .count = sizeof(rows) / sizeof(rows[0]),                \
                                           .at = rows };                                           \
        return true;                                                                               \
    }

bool cnv_fields_find(enum cnv_kind kind, struct cnv_fields *ret_fields)
{
    switch (kind) {
        CNV_MESSAGE_LIST(FIELDS_CASE)
    case CNV_KIND_NONE:
    default:
        return false;
    }
}
