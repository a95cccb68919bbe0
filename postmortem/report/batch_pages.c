#include "postmortem/report/batch_pages.h"

#include <string.h>
#include <time.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/table.h"

#define USUAL_GROUPS  30
#define USUAL_FAILED  10
#define SHORT_VERDICT 300 /* bytes of a verdict in a table */

/* "2026-11-25 18:04:05" (UTC); "?" when it is not known. */
static const char *time_text(char *text, size_t size, uint64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    if (ms == PM_UNKNOWN || ms / 1000 > 253402300799ull || !gmtime_r(&seconds, &parts) ||
        !strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts))
        snprintf(text, size, "?");
    return text;
}

static void add_names(struct pm_strbuf *out, const struct pm_batch_names *names, size_t most) {
    if (!names->count) pm_strbuf_append(out, "?");
    for (size_t i = 0; i < names->count && i < most; i++)
        pm_strbuf_appendf(out, i ? ", %s" : "%s", names->names[i]);
    if (names->count > most || names->more) pm_strbuf_append(out, ", ...");
}

static const char *what_of(const struct pm_batch_group *group) {
    return group->verdict ? group->verdict : group->finding ? group->finding : "no verdict";
}

static const char *severity_of(const struct pm_batch_group *group) {
    return group->severity < 0 ? NULL : pm_severity_word((enum pm_severity)group->severity);
}

static void add_totals(struct pm_strbuf *out, const struct pm_batch *batch) {
    char files[PM_NUMBER_TEXT], failed[PM_NUMBER_TEXT];
    pm_strbuf_appendf(out, "%s file%s in %zu group%s; %s could not be read",
                      pm_format_count(files, batch->files), batch->files == 1 ? "" : "s", batch->group_count,
                      batch->group_count == 1 ? "" : "s", pm_format_count(failed, batch->failed));
}

/* ---- text ---- */

static void put_group(const struct pm_page *page, const struct pm_batch_group *group) {
    char count[PM_NUMBER_TEXT], first[32], last[32];
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    pm_page_entryf(page, pm_format_count(count, group->count), PM_BOLD, "%s", what_of(group));
    pm_strbuf_appendf(&line, "%s to %s; hosts: ", time_text(first, sizeof(first), group->first_ms),
                      time_text(last, sizeof(last), group->last_ms));
    add_names(&line, &group->hosts, 5);
    pm_strbuf_append(&line, "; Node.js ");
    add_names(&line, &group->versions, 5);
    if (group->partial) pm_strbuf_appendf(&line, "; %s read in part", pm_format_count(count, group->partial));
    pm_page_entry(page, NULL, PM_PLAIN, pm_strbuf_text(&line));
    pm_page_entryf(page, NULL, PM_DIM, "signature %s%s%s; for example %s", group->key,
                   severity_of(group) ? ", " : "", severity_of(group) ? severity_of(group) : "",
                   group->example_count ? group->examples[0] : "?");
    pm_page_gap(page);
}

void pm_page_batch(const struct pm_page *page) {
    const struct pm_batch *batch = page->diagnosis->batch;
    struct pm_strbuf totals PM_AUTO_STRBUF = {0};
    add_totals(&totals, batch);
    pm_page_entry(page, "Batch", PM_BOLD, pm_strbuf_text(&totals));
    pm_page_gap(page);
    size_t rows = pm_page_rows(page, batch->group_count, USUAL_GROUPS);
    for (size_t i = 0; i < rows; i++) put_group(page, batch->groups[i]);
    if (rows < batch->group_count)
        pm_page_entryf(page, NULL, PM_DIM, "%zu more groups (--limit 0 shows all)",
                       batch->group_count - rows);
    rows = pm_page_rows(page, batch->failure_count, USUAL_FAILED);
    for (size_t i = 0; i < rows; i++)
        pm_page_entryf(page, i ? NULL : "Not read", PM_WARN, "%s: %s", batch->failures[i].path,
                       batch->failures[i].reason ? batch->failures[i].reason : "?");
    if (rows < batch->failed)
        pm_page_entryf(page, NULL, PM_DIM, "%llu more", (unsigned long long)(batch->failed - rows));
    if (batch->failed) pm_page_gap(page);
}

/* ---- JSON ---- */

static void json_names(struct pm_json *json, const char *key, const char *more,
                       const struct pm_batch_names *names) {
    pm_json_array(json, key);
    for (size_t i = 0; i < names->count; i++) pm_json_text(json, NULL, names->names[i]);
    pm_json_end(json);
    pm_json_bool(json, more, names->more);
}

static void json_group(struct pm_json *json, const struct pm_batch_group *group) {
    pm_json_object(json, NULL);
    pm_json_text(json, "signature", group->key);
    pm_json_u64(json, "count", group->count);
    pm_json_u64(json, "partial", group->partial);
    pm_json_u64(json, "first_seen", group->first_ms);
    pm_json_u64(json, "last_seen", group->last_ms);
    pm_json_text(json, "death", group->death);
    pm_json_text(json, "finding", group->finding);
    pm_json_text(json, "severity", severity_of(group));
    pm_json_text(json, "verdict", group->verdict);
    json_names(json, "hosts", "more_hosts", &group->hosts);
    json_names(json, "node_versions", "more_node_versions", &group->versions);
    pm_json_text(json, "example", group->example_count ? group->examples[0] : "");
    pm_json_array(json, "examples");
    for (size_t i = 0; i < group->example_count; i++) pm_json_text(json, NULL, group->examples[i]);
    pm_json_end(json);
    pm_json_end(json);
}

void pm_json_batch(struct pm_json *json, const struct pm_batch *batch) {
    pm_json_object(json, "batch");
    pm_json_u64(json, "files", batch->files);
    pm_json_u64(json, "failed", batch->failed);
    pm_json_array(json, "groups");
    for (size_t i = 0; i < batch->group_count; i++) json_group(json, batch->groups[i]);
    pm_json_end(json);
    pm_json_array(json, "unreadable");
    for (size_t i = 0; i < batch->failure_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "path", batch->failures[i].path ? batch->failures[i].path : "");
        pm_json_text(json, "reason", batch->failures[i].reason);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

/* ---- Markdown ---- */

static void cell(struct pm_strbuf *out, const char *text) {
    struct pm_strbuf cut PM_AUTO_STRBUF = {0};
    pm_text_cut(&cut, text, SHORT_VERDICT, false);
    pm_strbuf_append(out, " ");
    pm_escape_markdown(out, pm_strbuf_text(&cut), cut.length);
    pm_strbuf_append(out, " |");
}

void pm_markdown_batch(const struct pm_batch *batch, struct pm_strbuf *out) {
    pm_strbuf_append(out, "### ");
    add_totals(out, batch);
    pm_strbuf_append(out, "\n\n| files | what | first seen (UTC) | last seen | hosts | Node.js | example |\n"
                          "|--:|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < batch->group_count && i < USUAL_GROUPS; i++) {
        const struct pm_batch_group *group = batch->groups[i];
        struct pm_strbuf hosts PM_AUTO_STRBUF = {0}, versions PM_AUTO_STRBUF = {0};
        char text[PM_NUMBER_TEXT];
        add_names(&hosts, &group->hosts, 5);
        add_names(&versions, &group->versions, 5);
        pm_strbuf_append(out, "|");
        cell(out, pm_format_count(text, group->count));
        cell(out, what_of(group));
        cell(out, time_text(text, sizeof(text), group->first_ms));
        cell(out, time_text(text, sizeof(text), group->last_ms));
        cell(out, pm_strbuf_text(&hosts));
        cell(out, pm_strbuf_text(&versions));
        cell(out, group->example_count ? group->examples[0] : "?");
        pm_strbuf_append(out, "\n");
    }
    if (batch->group_count > USUAL_GROUPS)
        pm_strbuf_appendf(out, "\n%zu more groups.\n", batch->group_count - USUAL_GROUPS);
    pm_strbuf_append(out, "\n");
}

/* ---- HTML ---- */

static void html_group(const struct pm_html *page, const struct pm_batch_group *group) {
    struct pm_strbuf hosts PM_AUTO_STRBUF = {0}, versions PM_AUTO_STRBUF = {0};
    char text[PM_NUMBER_TEXT];
    add_names(&hosts, &group->hosts, PM_BATCH_NAMES);
    add_names(&versions, &group->versions, PM_BATCH_NAMES);
    pm_strbuf_append(page->out, "<tr>");
    pm_html_cell_count(page, group->count);
    pm_html_cell(page, severity_of(group));
    pm_html_cell(page, what_of(group));
    pm_html_cell(page, time_text(text, sizeof(text), group->first_ms));
    pm_html_cell(page, time_text(text, sizeof(text), group->last_ms));
    pm_html_cell(page, pm_strbuf_text(&hosts));
    pm_html_cell(page, pm_strbuf_text(&versions));
    pm_html_cell(page, group->example_count ? group->examples[0] : NULL);
    pm_html_cell(page, group->key);
    pm_strbuf_append(page->out, "</tr>\n");
}

void pm_html_batch(const struct pm_html *page) {
    static const char *const columns[] = {"#Files", "Severity", "What",    "First seen (UTC)", "Last seen",
                                          "Hosts",  "Node.js",  "Example", "Signature"},
                             *const failed[] = {"File", "Why it could not be read"};
    const struct pm_batch *batch = page->diagnosis->batch;
    struct pm_strbuf totals PM_AUTO_STRBUF = {0};
    size_t i = 0, most;
    if (!batch) return;
    add_totals(&totals, batch);
    pm_html_paragraph(page, "kind", pm_strbuf_text(&totals));
    most = pm_html_rows(page, batch->group_count, 500);
    pm_html_table(page, "sorts filters", columns, sizeof(columns) / sizeof(columns[0]));
    for (; i < most && pm_html_room(page); i++) html_group(page, batch->groups[i]);
    pm_html_table_end(page);
    pm_html_left_out(page, batch->group_count - i, "groups");
    if (!batch->failure_count) return;
    most = pm_html_rows(page, batch->failure_count, 200);
    pm_html_table(page, "sorts filters", failed, 2);
    for (i = 0; i < most && pm_html_room(page); i++) {
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, batch->failures[i].path);
        pm_html_cell(page, batch->failures[i].reason);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, batch->failed - i, "files");
}
