#include "tests/cli/json_schema.h"

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 64

struct check {
    const cJSON *root;
    char path[1024];
    char *wrong;
    int depth;
};

static bool refuse(struct check *check, const char *why) {
    if (!check->wrong && asprintf(&check->wrong, "%s: %s", *check->path ? check->path : "/", why) < 0)
        abort();
    return false;
}

static bool is_type(const cJSON *value, const char *type) {
    if (!strcmp(type, "object")) return cJSON_IsObject(value);
    if (!strcmp(type, "array")) return cJSON_IsArray(value);
    if (!strcmp(type, "string")) return cJSON_IsString(value);
    if (!strcmp(type, "boolean")) return cJSON_IsBool(value);
    if (!strcmp(type, "null")) return cJSON_IsNull(value);
    if (!strcmp(type, "number")) return cJSON_IsNumber(value);
    if (!strcmp(type, "integer"))
        return cJSON_IsNumber(value) &&
               (value->valuedouble >= 9e15 || value->valuedouble == (double)(long long)value->valuedouble);
    return false;
}

static bool check_type(struct check *check, const cJSON *rule, const cJSON *value) {
    const cJSON *type;
    if (cJSON_IsString(rule)) return is_type(value, rule->valuestring) || refuse(check, "wrong type");
    cJSON_ArrayForEach(type, rule) if (is_type(value, type->valuestring)) return true;
    return refuse(check, "wrong type");
}

static bool check_enum(struct check *check, const cJSON *rule, const cJSON *value) {
    const cJSON *allowed;
    cJSON_ArrayForEach(allowed, rule) if (cJSON_Compare(allowed, value, true)) return true;
    return refuse(check, cJSON_IsString(value) ? value->valuestring : "value is not one of the enum");
}

static bool check_value(struct check *check, const cJSON *schema, const cJSON *value);

static bool check_below(struct check *check, const cJSON *schema, const cJSON *value, const char *name,
                        size_t index) {
    size_t length = strlen(check->path);
    if (name)
        snprintf(check->path + length, sizeof(check->path) - length, "/%s", name);
    else
        snprintf(check->path + length, sizeof(check->path) - length, "/%zu", index);
    bool good = check_value(check, schema, value);
    check->path[length] = 0;
    return good;
}

static bool check_members(struct check *check, const cJSON *schema, const cJSON *value) {
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties"), *member;
    const cJSON *others = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
    cJSON_ArrayForEach(member, value) {
        const cJSON *rule = properties ? cJSON_GetObjectItemCaseSensitive(properties, member->string) : NULL;
        if (!rule && cJSON_IsFalse(others)) return refuse(check, member->string);
        if (!rule && cJSON_IsObject(others)) rule = others;
        if (rule && !check_below(check, rule, member, member->string, 0)) return false;
    }
    return true;
}

static bool check_required(struct check *check, const cJSON *rule, const cJSON *value) {
    const cJSON *name;
    cJSON_ArrayForEach(name, rule) if (!cJSON_GetObjectItemCaseSensitive(value, name->valuestring)) {
        char why[128];
        snprintf(why, sizeof(why), "%s is missing", name->valuestring);
        return refuse(check, why);
    }
    return true;
}

static bool check_items(struct check *check, const cJSON *rule, const cJSON *value) {
    const cJSON *item;
    size_t index = 0;
    cJSON_ArrayForEach(item, value) if (!check_below(check, rule, item, NULL, index++)) return false;
    return true;
}

static bool check_pattern(struct check *check, const char *pattern, const char *text) {
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB))
        return refuse(check, "the schema's pattern is no expression");
    int result = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    return result == 0 || refuse(check, "does not match the pattern");
}

static bool check_reference(struct check *check, const char *reference, const cJSON *value) {
    const cJSON *definitions = cJSON_GetObjectItemCaseSensitive(check->root, "$defs");
    const char *name = strncmp(reference, "#/$defs/", 8) == 0 ? reference + 8 : NULL;
    const cJSON *schema = name ? cJSON_GetObjectItemCaseSensitive(definitions, name) : NULL;
    return schema ? check_value(check, schema, value) : refuse(check, "the schema has a broken $ref");
}

static bool check_keyword(struct check *check, const cJSON *rule, const cJSON *schema, const cJSON *value) {
    const char *word = rule->string;
    if (!strcmp(word, "type")) return check_type(check, rule, value);
    if (!strcmp(word, "const")) return cJSON_Compare(rule, value, true) || refuse(check, "not the constant");
    if (!strcmp(word, "enum")) return check_enum(check, rule, value);
    if (!strcmp(word, "required")) return !cJSON_IsObject(value) || check_required(check, rule, value);
    if (!strcmp(word, "properties")) return !cJSON_IsObject(value) || check_members(check, schema, value);
    if (!strcmp(word, "additionalProperties"))
        return !cJSON_IsObject(value) || cJSON_HasObjectItem(schema, "properties") ||
               check_members(check, schema, value);
    if (!strcmp(word, "items")) return !cJSON_IsArray(value) || check_items(check, rule, value);
    if (!strcmp(word, "pattern"))
        return !cJSON_IsString(value) || check_pattern(check, rule->valuestring, value->valuestring);
    if (!strcmp(word, "minimum"))
        return !cJSON_IsNumber(value) || value->valuedouble >= rule->valuedouble ||
               refuse(check, "below the minimum");
    if (!strcmp(word, "$ref")) return check_reference(check, rule->valuestring, value);
    if (!strcmp(word, "$schema") || !strcmp(word, "title") || !strcmp(word, "description") ||
        !strcmp(word, "$defs"))
        return true;
    return refuse(check, "the schema has a keyword that this checker does not know");
}

static bool check_value(struct check *check, const cJSON *schema, const cJSON *value) {
    const cJSON *rule;
    bool good = true;
    if (++check->depth > DEEPEST) return refuse(check, "nested too deeply");
    cJSON_ArrayForEach(rule, schema) if (good) good = check_keyword(check, rule, schema, value);
    check->depth--;
    return good;
}

char *json_schema_check(const cJSON *schema, const cJSON *document) {
    struct check check = {.root = schema};
    check_value(&check, schema, document);
    return check.wrong;
}
