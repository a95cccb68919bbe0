/* The HTML page: other incidents among the files, each with the sections it has. */
#include "postmortem/report/html.h"

static const struct part {
    const char *title;
    bool open;
    unsigned shown; /* of enum pm_section */
    void (*write)(const struct pm_html *page);
} parts[] = {
    {"Findings", true, PM_SHOW_FINDINGS, pm_html_findings},
    {"Process", true, PM_SHOW_PROCESS, pm_html_process},
    {"Memory", false, PM_SHOW_SPACES, pm_html_memory},
    {"Retained memory", false, PM_SHOW_HISTOGRAM, pm_html_retained},
    {"Objects", false, PM_SHOW_HISTOGRAM, pm_html_objects},
    {"Stack", false, PM_SHOW_STACK, pm_html_stack},
    {"Diagnostic reports", false, PM_SHOW_PROCESS, pm_html_reports},
    {"Profiles", false, PM_SHOW_PROCESS, pm_html_profiles},
    {"Logs", false, PM_SHOW_PROCESS, pm_html_logs},
    {"Pods", false, PM_SHOW_PROCESS, pm_html_pods},
    {"Environment", false, PM_SHOW_DETAILS, pm_html_environment},
    {"Coverage", false, PM_SHOW_FINDINGS, pm_html_coverage},
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static void put_problems(const struct pm_html *page, const struct pm_diagnosis *other) {
    for (size_t i = 0; i < other->problem_count && pm_html_room(page); i++) {
        pm_strbuf_append(page->out, "<p class=\"warn\" role=\"note\"><strong>Not read:</strong> ");
        pm_html_text(page, other->problems[i].message, PM_HTML_LONG);
        if (other->problems[i].hint) {
            pm_strbuf_append(page->out, "<br>");
            pm_html_text(page, other->problems[i].hint, PM_HTML_LONG);
        }
        pm_strbuf_append(page->out, "</p>\n");
    }
}

static void put_incident(const struct pm_html *page, const struct pm_diagnosis *other, size_t number,
                         size_t count) {
    pm_strbuf_appendf(page->out,
                      "<article class=\"incident\">\n<p class=\"kind\">Incident %zu of %zu: ", number, count);
    for (size_t i = 0; i < other->input_count && i < 8; i++) {
        if (i) pm_strbuf_append(page->out, ", ");
        pm_html_text(page, other->inputs[i].path, PM_HTML_NAME);
    }
    if (other->input_count > 8) pm_strbuf_appendf(page->out, " and %zu more files", other->input_count - 8);
    pm_strbuf_append(page->out, "</p>\n<h3>");
    pm_html_prose(page, other->verdict ? other->verdict : "Nothing was found out.");
    pm_strbuf_append(page->out, "</h3>\n");
    put_problems(page, other);
    for (size_t i = 0; i < PART_COUNT && pm_html_room(page); i++) {
        struct pm_strbuf body PM_AUTO_STRBUF = {0};
        struct pm_html own = {other, page->options, &body, page->most - page->out->length};
        if (!(page->options->sections & parts[i].shown)) continue;
        parts[i].write(&own);
        if (!body.length) continue;
        pm_strbuf_appendf(page->out, "<details%s><summary>%s</summary>\n%s</details>\n",
                          parts[i].open ? " open=\"\"" : "", parts[i].title, pm_strbuf_text(&body));
    }
    pm_strbuf_append(page->out, "</article>\n");
}

void pm_html_others(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->other_count && pm_html_room(page); i++)
        put_incident(page, diagnosis->others[i], i + 2, diagnosis->other_count + 1);
    pm_html_left_out(page, diagnosis->other_count - i, "incidents");
}
