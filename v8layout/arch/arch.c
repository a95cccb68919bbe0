#include "v8layout/arch/arch.h"

extern const struct v8_frame_arch v8_frame_arch_x86_64, v8_frame_arch_aarch64;

static const struct v8_frame_arch *const arches[] = {
    &v8_frame_arch_x86_64,
    &v8_frame_arch_aarch64,
};

const struct v8_frame_arch *v8_frame_arch(enum pm_machine machine) {
    for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
        if (arches[i]->machine == machine) return arches[i];
    return arches[0]; /* pm_core_open() accepts no other machine */
}
