/* export.c - reads a snapshot and writes it again: snapshot_export FROM TO. */
#include "parsers/heap_snapshot.h"
#include "postmortem/report/heapsnapshot_export.h"

int main(int argc, char **argv) {
    struct pm_input *input PM_AUTO(input) = NULL;
    struct pm_graph *graph PM_AUTO(graph) = NULL;
    struct pm_error *err = argc == 3 ? pm_input_open(argv[1], NULL, NULL, &input)
                                     : pm_error_create(PM_ERR_IO, "usage: snapshot_export FROM TO");
    if (!err) err = pm_heap_snapshot_read(input, &graph, NULL);
    if (!err) err = pm_heapsnapshot_export(graph, argv[2]);
    if (err) fprintf(stderr, "%s\n", err->message);
    int status = err != NULL;
    pm_error_destroy(err);
    return status;
}
