#include "v8layout/objects.h"
void v8_describe(const struct v8 *v8, v8_word word, size_t most, struct pm_strbuf *out) {
    (void)v8;
    (void)word;
    (void)most;
    (void)out;
}
