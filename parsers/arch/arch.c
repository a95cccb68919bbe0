#include "parsers/arch/arch.h"

const struct pm_arch *pm_arch(enum pm_machine machine) {
    switch (machine) {
    case PM_MACHINE_X86_64: return &pm_arch_x86_64;
    case PM_MACHINE_AARCH64: return &pm_arch_aarch64;
    }
    return NULL;
}

const struct pm_unwind_arch *pm_unwind_arch(enum pm_machine machine) {
    return &pm_arch(machine)->public;
}
