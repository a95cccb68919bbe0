#include "postmortem/report/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postmortem/model/diagnosis.h"

const char *pm_format_bytes(char *text, uint64_t bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes == PM_UNKNOWN) return strcpy(text, "?");
    if (bytes < 1000) {
        snprintf(text, PM_NUMBER_TEXT, "%" PRIu64 " B", bytes);
        return text;
    }
    /* Integers up to the last step: a double would round 999,950 kB to "1000.0 kB". */
    size_t unit = 0;
    uint64_t size = 1000;
    while (unit + 1 < sizeof(units) / sizeof(units[0]) && bytes / size >= 1000) {
        size *= 1000;
        unit++;
    }
    uint64_t tenths = bytes / (size / 10) + (bytes % (size / 10) >= size / 20);
    if (tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        tenths = 10;
        unit++;
    }
    snprintf(text, PM_NUMBER_TEXT, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
    return text;
}

const char *pm_format_count(char *text, uint64_t count) {
    if (count == PM_UNKNOWN) return strcpy(text, "?");
    char digits[PM_NUMBER_TEXT];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *out = text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) *out++ = ',';
        *out++ = digits[i];
    }
    *out = 0;
    return text;
}

const char *pm_format_share(char *text, uint64_t part, uint64_t whole) {
    if (part == PM_UNKNOWN || whole == PM_UNKNOWN || whole == 0) return strcpy(text, "-");
    snprintf(text, PM_NUMBER_TEXT, "%.1f %%", (double)part / (double)whole * 100);
    return text;
}

const char *pm_format_address(char *text, uint64_t address) {
    snprintf(text, PM_NUMBER_TEXT, "0x%" PRIx64, address);
    return text;
}

const char *pm_format_object(char *text, bool by_id, uint64_t object) {
    snprintf(text, PM_NUMBER_TEXT, by_id ? "@%" PRIu64 : "0x%" PRIx64, object);
    return text;
}

const char *pm_format_offset(char *text, uint64_t offset) {
    if (offset == PM_UNKNOWN) return strcpy(text, "");
    snprintf(text, PM_NUMBER_TEXT, "+0x%" PRIx64, offset);
    return text;
}
