#include "v8layout/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Number::toString of ECMAScript, radix 10: digits d1..dk and n with value = 0.d1..dk * 10^n decide the form.
 */
static void digits_text(const char *digits, int count, int n, struct pm_strbuf *out) {
    if (n > 21 || n < -5) {
        pm_strbuf_append_char(out, digits[0]);
        if (count > 1) {
            pm_strbuf_append_char(out, '.');
            pm_strbuf_append_bytes(out, digits + 1, (size_t)count - 1);
        }
        pm_strbuf_appendf(out, "e%+d", n - 1);
        return;
    }
    if (n <= 0) {
        pm_strbuf_append(out, "0.");
        for (int i = n; i < 0; i++) pm_strbuf_append_char(out, '0');
        pm_strbuf_append_bytes(out, digits, (size_t)count);
        return;
    }
    for (int i = 0; i < count || i < n; i++) {
        if (i == n) pm_strbuf_append_char(out, '.');
        pm_strbuf_append_char(out, i < count ? digits[i] : '0');
    }
}

void v8_number_text(double number, struct pm_strbuf *out) {
    if (isnan(number)) {
        pm_strbuf_append(out, "NaN");
        return;
    }
    if (signbit(number)) pm_strbuf_append_char(out, '-');
    number = fabs(number);
    if (isinf(number)) {
        pm_strbuf_append(out, "Infinity");
        return;
    }
    if (number == 0) {
        pm_strbuf_append_char(out, '0');
        return;
    }
    char text[40], digits[24];
    int count = 0;
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, number);
        if (strtod(text, NULL) == number) break;
    }
    const char *exponent = strchr(text, 'e'); /* d.ddde+XX; the point may be another character, by locale */
    for (const char *at = text; exponent && at < exponent; at++)
        if (*at >= '0' && *at <= '9') digits[count++] = *at;
    digits_text(digits, count, exponent ? atoi(exponent + 1) + 1 : count, out);
}

#define DECIMAL_STEP 10000000000000000000u /* 10^19: the largest power of ten in 64 bits */

/* Decimal digits by repeated division, lowest first. */
static void decimal_text(const uint64_t *digits, uint32_t count, struct pm_strbuf *out) {
    uint64_t rest[64], parts[80];
    int part_count = 0;
    memcpy(rest, digits, count * sizeof(*rest));
    while (count > 0) {
        unsigned __int128 carry = 0;
        for (uint32_t i = count; i-- > 0;) {
            carry = carry << 64 | rest[i];
            rest[i] = (uint64_t)(carry / DECIMAL_STEP);
            carry %= DECIMAL_STEP;
        }
        parts[part_count++] = (uint64_t)carry;
        while (count > 0 && rest[count - 1] == 0) count--;
    }
    pm_strbuf_appendf(out, "%llu", (unsigned long long)parts[part_count - 1]);
    for (int i = part_count - 1; i-- > 0;) pm_strbuf_appendf(out, "%019llu", (unsigned long long)parts[i]);
}

void v8_bigint_text(const uint64_t *digits, uint32_t count, bool negative, size_t most,
                    struct pm_strbuf *out) {
    while (count > 0 && digits[count - 1] == 0) count--;
    if (count == 0) {
        pm_strbuf_append(out, "0n");
        return;
    }
    if (negative) pm_strbuf_append_char(out, '-');
    if (count <= 64 && (size_t)count * 20 <= most) {
        decimal_text(digits, count, out);
    } else {
        size_t start = out->length;
        pm_strbuf_appendf(out, "0x%llx", (unsigned long long)digits[count - 1]);
        uint32_t i = count - 1;
        while (i > 0 && out->length - start < most)
            pm_strbuf_appendf(out, "%016llx", (unsigned long long)digits[--i]);
        if (i > 0) pm_strbuf_append(out, "…");
    }
    pm_strbuf_append_char(out, 'n');
}

/* Days since 1970 to a date of the proleptic Gregorian calendar: years begin in March, so that the leap day
 * is the last. */
static void civil(int64_t days, int64_t *year_ret, int *month_ret, int *day_ret) {
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, day_of_era = days - era * 146097;
    int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day = day_of_era - (365 * year + year / 4 - year / 100), month = (5 * day + 2) / 153;
    *day_ret = (int)(day - (153 * month + 2) / 5 + 1);
    *month_ret = (int)(month < 10 ? month + 3 : month - 9);
    *year_ret = year + era * 400 + (*month_ret <= 2);
}

void v8_date_text(double milliseconds, struct pm_strbuf *out) {
    int64_t year;
    int month, day;
    if (!(fabs(milliseconds) <= 8.64e15)) {
        pm_strbuf_append(out, "Invalid Date");
        return;
    }
    int64_t time = (int64_t)milliseconds, days = time / 86400000, rest = time % 86400000;
    if (rest < 0) {
        days--;
        rest += 86400000;
    }
    civil(days, &year, &month, &day);
    if (year >= 0 && year <= 9999)
        pm_strbuf_appendf(out, "%04d", (int)year);
    else
        pm_strbuf_appendf(out, "%+07d", (int)year);
    pm_strbuf_appendf(out, "-%02d-%02dT%02d:%02d:%02d.%03dZ", month, day, (int)(rest / 3600000),
                      (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}
