#include "cri/base/text.h"
#include "resolver/podpid.h"

#include <string.h>

/* The code point of the valid UTF-8 character of len bytes at s. */
static uint32_t decode_utf8(const char *s, size_t len)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s[0] & lead_mask[len];

    for (size_t i = 1; i < len; i++) {
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    }
    return c;
}

/* Whether c is a character that a terminal obeys, does not show, or reorders its line by. */
static bool is_deceptive(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0x9f},       /* C1 controls: U+009B is ESC [ */
        {0xad, 0xad},       /* soft hyphen */
        {0x61c, 0x61c},     /* Arabic letter mark */
        {0x200b, 0x200f},   /* zero width, left-to-right and right-to-left marks */
        {0x2028, 0x202e},   /* line and paragraph separator, bidirectional embeddings */
        {0x2060, 0x206f},   /* word joiner, bidirectional isolates, deprecated formatting */
        {0xfeff, 0xfeff},   /* byte order mark */
        {0xfff9, 0xfffb},   /* interlinear annotation */
        {0xe0000, 0xe0fff}, /* tags, invisible */
    };

    for (size_t i = 0; i < N_ELEMENTS(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static void escape_ascii(struct buf *b, unsigned char c)
{
    if (c == '\n') {
        buf_puts(b, "\\n");
    } else if (c == '\t') {
        buf_puts(b, "\\t");
    } else if (c < 0x20 || c == 0x7f) {
        buf_printf(b, "\\x%02x", c);
    } else {
        buf_append(b, &c, 1);
    }
}

char *podpid_escape(const char *text)
{
    struct buf b = {0};
    size_t n = text ? strlen(text) : 0;

    if (!text) {
        return NULL;
    }
    buf_puts(&b, "");
    for (size_t i = 0; i < n;) {
        size_t len = text_utf8_char(text + i, n - i);

        if (len == 0) {
            buf_printf(&b, "\\x%02x", (unsigned char)text[i]);
            len = 1;
        } else if (len == 1) {
            escape_ascii(&b, (unsigned char)text[i]);
        } else {
            uint32_t c = decode_utf8(text + i, len);

            if (is_deceptive(c)) {
                buf_printf(&b, "\\u{%x}", (unsigned)c);
            } else {
                buf_append(&b, text + i, len);
            }
        }
        i += len;
    }
    if (b.failed) {
        buf_free(&b);
    }
    return b.p;
}
