#include "test/fake_cri/json_wire.h"

#include <string.h>

#include "cri/base/cleanup.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, PAD_FIELD = 1000 };

static void put_varint(struct buf *out, uint64_t v)
{
    do {
        unsigned char byte = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

        buf_append(out, &byte, 1);
        v >>= 7;
    } while (v > 0);
}

static void put_bytes(struct buf *out, uint32_t field, const void *p, size_t n)
{
    put_varint(out, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(out, n);
    buf_append(out, p, n);
}

/* U+E000 to U+E0FF are the bytes 0x00 to 0xff: JSON cannot say what is no UTF-8. */
static void put_text(struct buf *out, uint32_t field, const char *p, size_t n)
{
    CLEANUP(buf_free) struct buf raw = {0};
    size_t at = 0;

    while (at < n) {
        const char *next = memchr(p + at, 0xee, n - at);
        size_t plain = next ? (size_t)(next - p) : n;

        buf_append(&raw, p + at, plain - at);
        at = plain;
        if (n - at >= 3 && ((unsigned char)p[at + 1] & 0xfc) == 0x80) {
            unsigned char byte =
                (unsigned char)((unsigned char)p[at + 1] << 6 | (p[at + 2] & 0x3f));

            buf_append(&raw, &byte, 1);
            at += 3;
        } else if (at < n) {
            buf_append(&raw, p + at++, 1);
        }
    }
    put_bytes(out, field, raw.p, raw.n);
}

static bool put_enum(const ProtobufCFieldDescriptor *f, const json_t *v, struct buf *out)
{
    const ProtobufCEnumValue *value;

    if (json_is_integer(v)) {
        put_varint(out, (uint64_t)json_integer_value(v));
        return true;
    }
    value = json_is_string(v)
                ? protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, json_string_value(v))
                : NULL;
    if (value) {
        put_varint(out, (uint64_t)value->value);
    }
    return value;
}

static bool put_one(const ProtobufCFieldDescriptor *f, const json_t *v, struct buf *out)
{
    CLEANUP(buf_free) struct buf inner = {0};

    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        put_text(out, f->id, json_string_value(v), json_string_length(v));
        return json_is_string(v);
    case PROTOBUF_C_TYPE_MESSAGE:
        if (!json_wire(f->descriptor, v, &inner)) {
            return false;
        }
        put_bytes(out, f->id, inner.p, inner.n);
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        put_varint(out, (uint64_t)f->id << 3 | WIRE_VARINT);
        return put_enum(f, v, out);
    case PROTOBUF_C_TYPE_BOOL:
        put_varint(out, (uint64_t)f->id << 3 | WIRE_VARINT);
        put_varint(out, json_is_true(v) ? 1 : 0);
        return json_is_boolean(v);
    default:
        put_varint(out, (uint64_t)f->id << 3 | WIRE_VARINT);
        put_varint(out, (uint64_t)json_integer_value(v));
        return json_is_integer(v);
    }
}

static bool put_map(const ProtobufCFieldDescriptor *f, json_t *map, struct buf *out)
{
    const char *key;
    json_t *value;

    json_object_foreach(map, key, value)
    {
        CLEANUP(buf_free) struct buf inner = {0};

        if (!json_is_string(value)) {
            return false;
        }
        put_text(&inner, 1, key, strlen(key));
        put_text(&inner, 2, json_string_value(value), json_string_length(value));
        put_bytes(out, f->id, inner.p, inner.n);
    }
    return true;
}

static bool put_field(const ProtobufCFieldDescriptor *f, json_t *v, struct buf *out)
{
    size_t i;
    json_t *item;

    if (f->label != PROTOBUF_C_LABEL_REPEATED) {
        return put_one(f, v, out);
    }
    if (json_is_object(v)) {
        return put_map(f, v, out);
    }
    json_array_foreach(v, i, item)
    {
        if (!put_one(f, item, out)) {
            return false;
        }
    }
    return json_is_array(v);
}

bool json_wire(const ProtobufCMessageDescriptor *desc, const json_t *message, struct buf *out)
{
    for (unsigned i = 0; i < desc->n_fields; i++) {
        json_t *v = json_object_get(message, desc->fields[i].name);

        if (v && !json_is_null(v) && !put_field(&desc->fields[i], v, out)) {
            return false;
        }
    }
    return json_is_object(message);
}

void json_wire_pad(struct buf *out, size_t n)
{
    static const char zeros[4096];

    put_varint(out, (uint64_t)PAD_FIELD << 3 | WIRE_BYTES);
    put_varint(out, n);
    while (n > 0) {
        size_t k = n < sizeof(zeros) ? n : sizeof(zeros);

        buf_append(out, zeros, k);
        n -= k;
    }
}
