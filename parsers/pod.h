/* pod.h - what `kubectl get pod NAME -o json` prints (v1 Pod, PodList or List), also `get pods -A -o json`.
 *
 * One struct pm_pod for each pod. Members that say nothing about a death are not looked at. FAILURE
 * pm_pod_load(): without memory, no JSON, or no pod in it. */
#ifndef PM_PARSERS_POD_H
#define PM_PARSERS_POD_H

#include "parsers/input.h"
#include "postmortem/model/diagnosis.h"

struct pm_error *pm_pod_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);

/* Quantities of Kubernetes: "512Mi", "1.5G", "250m", "2". In thousandths; PM_UNKNOWN = it is none. */
uint64_t pm_pod_quantity_milli(const char *text);

#endif
