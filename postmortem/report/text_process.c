/* The text page: the process, how it died, its environment. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/profile_words.h"
#include "postmortem/report/text.h"

static void put_inputs(const struct pm_page *page) {
    char number[PM_NUMBER_TEXT];
    for (size_t i = 0; i < page->diagnosis->input_count; i++) {
        const struct pm_input_info *input = &page->diagnosis->inputs[i];
        pm_page_entryf(page, i ? NULL : "Input", PM_PLAIN, "%s (%s, %s%s)", input->path, input->kind,
                       pm_format_bytes(number, input->bytes), input->complete ? "" : ", cut short");
    }
}

static void put_runtime(const struct pm_page *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (process->node_version)
        pm_strbuf_appendf(&text, "Node.js %s", process->node_version);
    else
        pm_strbuf_append(&text, process->program ? process->program : "a process");
    if (process->v8_version) pm_strbuf_appendf(&text, ", V8 %s", process->v8_version);
    if (process->arch) pm_strbuf_appendf(&text, ", %s", process->arch);
    if (process->pid != PM_UNKNOWN) pm_strbuf_appendf(&text, ", pid %" PRIu64, process->pid);
    pm_page_entry(page, "Process", PM_PLAIN, pm_strbuf_text(&text));
}

static void put_command(const struct pm_page *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    for (size_t i = 0; i < process->argc; i++) {
        const char *argument = process->argv[i];
        bool quote = !*argument || strpbrk(argument, " \t\n'\"\\$`&|;<>()*?");
        pm_strbuf_appendf(&text, quote ? "%s'%s'" : "%s%s", i ? " " : "", argument);
    }
    if (process->argc)
        pm_page_entry(page, "Command", PM_PLAIN, pm_strbuf_text(&text));
    else if (process->title)
        pm_page_entryf(page, "Title", PM_PLAIN, "%s", process->title);
}

static void put_signal(const struct pm_page *page) {
    const struct pm_process *process = &page->diagnosis->process;
    const char *name = pm_signal_name(process->signal);
    if (!name) return;
    if (process->has_fault_address)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s at address 0x%" PRIx64, name, process->fault_address);
    else if (process->sender_pid != PM_UNKNOWN && process->death == PM_DEATH_KILLED)
        pm_page_entryf(page, NULL, PM_PLAIN,
                       process->sender_pid ? "%s, sent by process %" PRIu64
                                           : "%s, sent from outside its pid namespace",
                       name, process->sender_pid);
    else if (process->death == PM_DEATH_KILLED)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s, sent from outside", name);
    else if (process->death == PM_DEATH_NATIVE_CRASH && process->signal_code != PM_UNKNOWN &&
             (int64_t)process->signal_code > 0)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s, raised by the kernel", name);
    else if (process->death == PM_DEATH_NATIVE_CRASH)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s; the address is lost, Node.js raised the signal again",
                       name);
    else if (process->death != PM_DEATH_SNAPSHOT)
        /* SIGKILL is the kernel's or the kubelet's: nobody sends it to himself. */
        pm_page_entryf(page, NULL, PM_PLAIN,
                       process->signal == 9 ? "%s, sent from outside" : "%s, raised by the process itself",
                       name);
}

static void put_death(const struct pm_page *page) {
    const struct pm_process *process = &page->diagnosis->process;
    char used[PM_NUMBER_TEXT], limit[PM_NUMBER_TEXT];
    pm_page_entry(page, "Death", PM_PLAIN, pm_death_phrase(process->death));
    if (process->death_location && process->death_message)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s - %s", process->death_location, process->death_message);
    else if (process->death_message || process->death_location)
        pm_page_entry(page, NULL, PM_PLAIN,
                      process->death_message ? process->death_message : process->death_location);
    if (process->heap_used_at_death != PM_UNKNOWN && process->heap_limit_at_death != PM_UNKNOWN)
        pm_page_entryf(page, NULL, PM_PLAIN, "V8's own count: %s used, at most %s for both generations",
                       pm_format_bytes(used, process->heap_used_at_death),
                       pm_format_bytes(limit, process->heap_limit_at_death));
    put_signal(page);
}

void pm_page_process(const struct pm_page *page) {
    put_inputs(page);
    put_runtime(page);
    put_command(page);
    if (page->folder) pm_page_entryf(page, "Code", PM_PLAIN, "paths are below %s", page->folder);
    put_death(page);
    pm_page_gap(page);
}

static void put_environment(const struct pm_page *page) {
    const struct pm_process *process = &page->diagnosis->process;
    for (size_t i = 0; i < process->environment_count; i++)
        pm_page_entryf(page, i ? NULL : "Env", PM_PLAIN, "%s=%s", process->environment[i].name,
                       process->environment[i].value ? process->environment[i].value : "");
    if (process->environment_count) pm_page_gap(page);
}

/* "765 ms: Mark-Compact 82.1 (103.4) -> 77.0 (111.9) MB": what follows is for experts (-v). */
static size_t length_of_sizes(const char *line, size_t length) {
    for (size_t i = 0; i + 3 < length; i++)
        if (!memcmp(line + i, " MB,", 4)) return i + 3;
    return length;
}

static void put_last_gcs(const struct pm_page *page) {
    const char *line = page->diagnosis->process.last_gcs;
    bool first = true;
    while (line && *line) {
        size_t length = strcspn(line, "\n");
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_append_bytes(&text, line, page->options->verbose ? length : length_of_sizes(line, length));
        if (length) pm_page_entry(page, first ? "Last GCs" : NULL, PM_DIM, pm_strbuf_text(&text));
        if (length) first = false;
        line += length + (line[length] == '\n');
    }
    if (page->diagnosis->process.last_collections) {
        struct pm_strbuf spark PM_AUTO_STRBUF = {0};
        pm_spell_sparkline(page->diagnosis->process.last_collections, 60, &spark);
        if (spark.length) pm_page_entry(page, NULL, PM_PLAIN, pm_strbuf_text(&spark));
    }
    if (!first) pm_page_gap(page);
}

void pm_page_details(const struct pm_page *page) {
    put_last_gcs(page);
    put_environment(page);
}
