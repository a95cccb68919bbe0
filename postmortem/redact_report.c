#include "postmortem/redact_report.h"

#include "postmortem/model/pod.h"
#include "postmortem/model/report_facts.h"

struct pass {
    const struct pm_redactor *redactor;
    struct pm_arena *arena;
    bool heap_strings, strict;
};

static void hide(const struct pass *pass, const char **text) {
    *text = pm_redact_text(pass->redactor, *text, pass->arena);
}

/* Content of a string of the program. */
static void hide_content(const struct pass *pass, const char **text) {
    if (pass->strict && *text)
        *text = "(string hidden)";
    else
        hide(pass, text);
}

/* Who and where on the network. */
static void hide_network(const struct pass *pass, const char **text) {
    if (pass->strict && *text) *text = "(hidden)";
}

static void hide_header(const struct pass *pass, struct pm_report_header *header) {
    pm_redact_arguments(pass->redactor, header->argv, header->argc, pass->arena);
    hide_content(pass, &header->event);
    hide(pass, &header->cwd);
    hide(pass, &header->filename);
    hide_network(pass, &header->host);
    for (size_t i = 0; i < header->interface_count; i++) {
        hide_network(pass, &header->interfaces[i].mac);
        hide_network(pass, &header->interfaces[i].address);
    }
}

static void hide_error(const struct pass *pass, struct pm_report_error *error) {
    hide_content(pass, &error->message);
    for (size_t i = 0; i < error->line_count; i++) hide(pass, &error->lines[i]);
    for (size_t i = 0; i < error->property_count; i++) {
        struct pm_env_value *row = &error->properties[i];
        if (pass->strict && row->value)
            row->value = "(string hidden)";
        else
            row->value = pm_redact_value(pass->redactor, row->name, row->value, pass->arena);
    }
}

static void hide_handle(const struct pass *pass, struct pm_report_handle *handle) {
    struct pm_report_endpoint *ends[] = {&handle->local, &handle->remote};
    for (size_t i = 0; i < 2; i++) {
        hide_network(pass, &ends[i]->host);
        hide_network(pass, &ends[i]->ip);
        hide(pass, &ends[i]->host);
    }
    hide(pass, &handle->filename);
}

static void hide_report(const struct pass *pass, struct pm_report_facts *facts) {
    hide_header(pass, &facts->header);
    hide_error(pass, &facts->error);
    for (size_t i = 0; i < facts->handle_count; i++) hide_handle(pass, &facts->handles[i]);
    for (size_t i = 0; i < facts->environment_count; i++) {
        struct pm_env_value *row = &facts->environment[i];
        row->value = pass->strict && row->value
                         ? "(hidden)"
                         : pm_redact_value(pass->redactor, row->name, row->value, pass->arena);
    }
    for (size_t i = 0; i < facts->shared_object_count; i++) hide(pass, &facts->shared_objects[i]);
    for (size_t i = 0; i < facts->worker_count; i++)
        hide_report(pass, &facts->workers[i]); /* as deep as the parser went */
}

static void hide_pod(const struct pass *pass, struct pm_pod *pod) {
    hide_network(pass, &pod->pod_ip);
    hide_network(pass, &pod->host_ip);
    hide_network(pass, &pod->node);
    hide(pass, &pod->message);
    for (size_t i = 0; i < pod->container_count; i++) {
        hide(pass, &pod->containers[i].node_options);
        hide(pass, &pod->containers[i].state.message);
        hide(pass, &pod->containers[i].last_state.message);
    }
}

void pm_redact_reports(const struct pm_redactor *redactor, bool heap_strings, bool strict,
                       struct pm_diagnosis *diagnosis) {
    struct pass pass = {redactor, diagnosis->arena, heap_strings, strict};
    for (size_t i = 0; i < diagnosis->report_count; i++) hide_report(&pass, diagnosis->reports[i]);
    for (size_t i = 0; i < diagnosis->pod_count; i++) hide_pod(&pass, diagnosis->pods[i]);
}
