/* One self-contained HTML page: works from a file, without network and without scripts; nothing is loaded
 * from outside, and the page says so to the browser (Content-Security-Policy). What stood in the heap is
 * text, never markup. The page stays below PAGE_MOST bytes whatever the heap: each section has its share. */
#include "postmortem/report/html.h"

#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/batch_pages.h"
#include "postmortem/report/html_assets.h"

#define PAGE_MOST     2900000 /* bytes: a browser opens it at once, a mail takes it */
#define SECTION_MOST  700000
#define SECTION_LEAST 40000 /* for sections when the page is nearly full: the head of each table */

static const struct section {
    const char *id, *title;
    unsigned shown; /* of enum pm_section; 0 = always */
    void (*write)(const struct pm_html *page);
} sections[] = {
    {"findings", "Findings", PM_SHOW_FINDINGS, pm_html_findings},
    {"groups", "Groups", PM_SHOW_BATCH, pm_html_batch},
    {"process", "Process", PM_SHOW_PROCESS, pm_html_process},
    {"memory", "Memory", PM_SHOW_SPACES, pm_html_memory},
    {"retained", "Retained memory", PM_SHOW_HISTOGRAM, pm_html_retained},
    {"objects", "Objects", PM_SHOW_HISTOGRAM, pm_html_objects},
    {"stack", "Stack", PM_SHOW_STACK | PM_SHOW_THREADS, pm_html_stack},
    {"threads", "Other threads", PM_SHOW_STACK | PM_SHOW_THREADS, pm_html_threads},
    {"reports", "Diagnostic reports", PM_SHOW_PROCESS, pm_html_reports},
    {"profiles", "Profiles", PM_SHOW_PROCESS, pm_html_profiles},
    {"logs", "Logs", PM_SHOW_PROCESS, pm_html_logs},
    {"pods", "Pods", PM_SHOW_PROCESS, pm_html_pods},
    {"object", "Objects asked for", PM_SHOW_OBJECT | PM_SHOW_OBJECT_LIST, pm_html_object},
    {"answers", "Answer",
     PM_SHOW_DETAILS | PM_SHOW_RETENTION | PM_SHOW_STRINGS | PM_SHOW_COMPARISON | PM_SHOW_EXPORT |
         PM_SHOW_LOOP,
     pm_html_answers},
    {"growth", "Where it grew", PM_SHOW_COMPARISON, pm_html_profile_comparison},
    {"layout", "Layout of V8", PM_SHOW_LAYOUT, pm_html_layout},
    {"environment", "Environment", PM_SHOW_DETAILS, pm_html_environment},
    {"coverage", "Coverage", 0, pm_html_coverage},
    {"others", "Other incidents", PM_SHOW_FINDINGS, pm_html_others},
};
#define SECTION_COUNT (sizeof(sections) / sizeof(sections[0]))

/* 'sha256-<base64>' for the policy. */
static void put_hash(struct pm_strbuf *out, const unsigned char hash[32]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    pm_strbuf_append(out, "'sha256-");
    for (size_t i = 0; i < 32; i += 3) {
        uint32_t bits =
            (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | (i + 2 < 32 ? hash[i + 2] : 0u);
        for (unsigned k = 0; k < 4; k++)
            pm_strbuf_append_char(out, i + 2 >= 32 && k == 3 ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
    pm_strbuf_append(out, "'");
}

static void put_head(const struct pm_html *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf *out = page->out;
    pm_strbuf_append(out,
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    put_hash(out, pm_html_style_sha256);
    pm_strbuf_append(out, "; script-src ");
    put_hash(out, pm_html_script_sha256);
    pm_strbuf_append(out, "; base-uri 'none'; form-action 'none'\">\n"
                          "<meta name=\"referrer\" content=\"no-referrer\">\n"
                          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                          "<title>postmortem");
    if (page->diagnosis->has_process && process->death != PM_DEATH_UNKNOWN)
        pm_strbuf_appendf(out, ": %s", pm_death_phrase(process->death));
    if (page->diagnosis->input_count) {
        pm_strbuf_append(out, " (");
        pm_html_text(page, page->diagnosis->inputs[0].path, PM_HTML_NAME);
        pm_strbuf_append(out, ")");
    }
    pm_strbuf_append(out, "</title>\n<style>");
    pm_strbuf_append(out, pm_html_style);
    pm_strbuf_append(out, "</style>\n</head>\n<body>\n");
}

static void put_inputs(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    char number[PM_NUMBER_TEXT];
    size_t rows = diagnosis->input_count < 8 ? diagnosis->input_count : 8;
    pm_strbuf_append(page->out, "<p class=\"kind\">");
    for (size_t i = 0; i < rows; i++) {
        const struct pm_input_info *input = &diagnosis->inputs[i];
        if (i) pm_strbuf_append(page->out, "<br>");
        pm_html_text(page, input->path, PM_HTML_NAME);
        pm_strbuf_append(page->out, " (");
        pm_html_text(page, input->kind, PM_HTML_NAME);
        pm_strbuf_appendf(page->out, ", %s%s)", pm_format_bytes(number, input->bytes),
                          input->complete ? "" : ", cut short");
    }
    if (rows < diagnosis->input_count)
        pm_strbuf_appendf(page->out, "<br>and %zu more files", diagnosis->input_count - rows);
    pm_strbuf_append(page->out, "</p>\n");
}

static void put_header(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    pm_strbuf_append(page->out, "<header>\n");
    if (diagnosis->input_count) put_inputs(page);
    pm_strbuf_append(page->out, "<h1>");
    if (diagnosis->verdict && page->options->sections & PM_SHOW_FINDINGS)
        pm_html_prose(page, diagnosis->verdict);
    else if (page->options->sections == PM_SHOW_COMPARISON)
        pm_strbuf_append(page->out, "What changed between these files");
    else
        pm_strbuf_append(page->out, "Post-mortem of a Node.js process");
    pm_strbuf_append(page->out, "</h1>\n");
    for (size_t i = 0; i < diagnosis->problem_count; i++) {
        pm_strbuf_append(page->out, "<p class=\"warn\" role=\"note\"><strong>Not read:</strong> ");
        pm_html_text(page, diagnosis->problems[i].message, PM_HTML_LONG);
        if (diagnosis->problems[i].hint) {
            pm_strbuf_append(page->out, "<br>");
            pm_html_text(page, diagnosis->problems[i].hint, PM_HTML_LONG);
        }
        pm_strbuf_append(page->out, "</p>\n");
        if (!pm_html_room(page)) break;
    }
    pm_strbuf_append(page->out, "</header>\n");
}

static void put_navigation(struct pm_strbuf *out, const struct pm_strbuf *bodies) {
    pm_strbuf_append(out, "<nav aria-label=\"sections\"><ul>\n");
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (bodies[i].length)
            pm_strbuf_appendf(out, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id, sections[i].title);
    pm_strbuf_append(out, "</ul></nav>\n");
}

static void put_foot(const struct pm_html *page) {
    struct pm_strbuf *out = page->out;
    pm_strbuf_append(out, "<footer><p>postmortem " PM_VERSION);
    if (page->diagnosis->signature) {
        pm_strbuf_append(out, ", signature ");
        pm_html_code(page, page->diagnosis->signature);
    }
    if (page->diagnosis->redaction) pm_strbuf_appendf(out, ", redaction: %s", page->diagnosis->redaction);
    pm_strbuf_append(out, "</p></footer>\n<script>");
    pm_strbuf_append(out, pm_html_script);
    pm_strbuf_append(out, "</script>\n</body>\n</html>\n");
}

static void write_html(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       FILE *out) {
    struct pm_strbuf frame PM_AUTO_STRBUF = {0}, bodies[SECTION_COUNT] = {0};
    struct pm_html page = {diagnosis, options, &frame, SECTION_MOST};
    size_t total = 0;
    put_head(&page);
    put_header(&page);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (sections[i].shown && !(options->sections & sections[i].shown)) continue;
        size_t used = frame.length + total, reserved = (SECTION_COUNT - i) * SECTION_LEAST;
        size_t left = PAGE_MOST > used + reserved ? PAGE_MOST - used - reserved : SECTION_LEAST;
        page.out = &bodies[i];
        page.most = left < SECTION_MOST ? left : SECTION_MOST;
        sections[i].write(&page);
        total += bodies[i].length;
    }
    page.out = &frame;
    put_navigation(&frame, bodies);
    pm_strbuf_append(&frame, "<main>\n");
    fputs(pm_strbuf_text(&frame), out);
    pm_strbuf_clear(&frame);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (bodies[i].length)
            fprintf(out,
                    "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 "
                    "id=\"%s-title\">%s</h2>\n%s</section>\n",
                    sections[i].id, sections[i].id, sections[i].id, sections[i].title,
                    pm_strbuf_text(&bodies[i]));
        pm_strbuf_deinit(&bodies[i]);
    }
    pm_strbuf_append(&frame, "</main>\n");
    put_foot(&page);
    fputs(pm_strbuf_text(&frame), out);
}

const struct pm_writer pm_writer_html = {
    .name = "html",
    .summary = "one self-contained page for a browser, heap strings redacted",
    .ticket = true,
    .write = write_html,
};
