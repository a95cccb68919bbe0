/* Our register numbers and names are LLVM libunwind's. */
#include <libunwind.h>

#include "parsers/arch/arch.h"
#include "tests/support/assert_error.h"

#define NAMED(prefix, number)                                                                                \
    { prefix##number, #number }

struct named {
    int number;
    const char *name; /* the end of the constant's name */
};

static void assert_same_name(const char *constant, const char *ours) {
    assert_non_null(ours);
    assert_int_equal(strcasecmp(constant, ours), 0);
}

static void test_x86_64_constants(void **state) {
    (void)state;
    static const struct named registers[] = {
        NAMED(UNW_X86_64_, RAX), NAMED(UNW_X86_64_, RDX), NAMED(UNW_X86_64_, RCX), NAMED(UNW_X86_64_, RBX),
        NAMED(UNW_X86_64_, RSI), NAMED(UNW_X86_64_, RDI), NAMED(UNW_X86_64_, RBP), NAMED(UNW_X86_64_, RSP),
        NAMED(UNW_X86_64_, R8),  NAMED(UNW_X86_64_, R9),  NAMED(UNW_X86_64_, R10), NAMED(UNW_X86_64_, R11),
        NAMED(UNW_X86_64_, R12), NAMED(UNW_X86_64_, R13), NAMED(UNW_X86_64_, R14), NAMED(UNW_X86_64_, R15),
        NAMED(UNW_X86_64_, RIP)};
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_X86_64);
    size_t count = sizeof(registers) / sizeof(*registers);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(registers[i].number, (int)i); /* DWARF order, as core_file.h has it */
        assert_same_name(registers[i].name, arch->names[i]);
    }
    for (size_t i = count; i < PM_REG_COUNT; i++) assert_null(arch->names[i]);
    assert_int_equal(arch->pc, UNW_X86_64_RIP);
    assert_int_equal(arch->sp, UNW_X86_64_RSP);
    assert_int_equal(arch->fp, UNW_X86_64_RBP);
}

static void test_aarch64_constants(void **state) {
    (void)state;
    static const struct named registers[] = {
        NAMED(UNW_AARCH64_, X0),  NAMED(UNW_AARCH64_, X1),  NAMED(UNW_AARCH64_, X2),
        NAMED(UNW_AARCH64_, X3),  NAMED(UNW_AARCH64_, X4),  NAMED(UNW_AARCH64_, X5),
        NAMED(UNW_AARCH64_, X6),  NAMED(UNW_AARCH64_, X7),  NAMED(UNW_AARCH64_, X8),
        NAMED(UNW_AARCH64_, X9),  NAMED(UNW_AARCH64_, X10), NAMED(UNW_AARCH64_, X11),
        NAMED(UNW_AARCH64_, X12), NAMED(UNW_AARCH64_, X13), NAMED(UNW_AARCH64_, X14),
        NAMED(UNW_AARCH64_, X15), NAMED(UNW_AARCH64_, X16), NAMED(UNW_AARCH64_, X17),
        NAMED(UNW_AARCH64_, X18), NAMED(UNW_AARCH64_, X19), NAMED(UNW_AARCH64_, X20),
        NAMED(UNW_AARCH64_, X21), NAMED(UNW_AARCH64_, X22), NAMED(UNW_AARCH64_, X23),
        NAMED(UNW_AARCH64_, X24), NAMED(UNW_AARCH64_, X25), NAMED(UNW_AARCH64_, X26),
        NAMED(UNW_AARCH64_, X27), NAMED(UNW_AARCH64_, X28), NAMED(UNW_AARCH64_, X29),
        NAMED(UNW_AARCH64_, X30), NAMED(UNW_AARCH64_, SP),  NAMED(UNW_AARCH64_, PC)};
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_AARCH64);
    assert_int_equal(sizeof(registers) / sizeof(*registers), PM_REG_COUNT);
    for (size_t i = 0; i < PM_REG_COUNT; i++) {
        assert_int_equal(registers[i].number, (int)i);
        assert_same_name(registers[i].name, arch->names[i]);
    }
    assert_int_equal(arch->fp, UNW_AARCH64_FP);
    assert_int_equal(arch->return_address, UNW_AARCH64_LR);
}

/* What the library calls the registers of the machine it was built for. */
static void test_library_names(void **state) {
    (void)state;
#if defined(__x86_64__)
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_X86_64);
#elif defined(__aarch64__)
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_AARCH64);
#else
    skip();
#endif
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    assert_int_equal(unw_init_local(&cursor, &context), UNW_ESUCCESS);
    for (int i = 0; i < PM_REG_COUNT; i++) {
        if (!arch->names[i] || i == (int)arch->pc) continue;
        assert_string_equal(unw_regname(&cursor, i), arch->names[i]);
    }
    /* The library has its own number for the pc and, on x86-64, a name of its own for column 16. */
    const char *pc = unw_regname(&cursor, UNW_REG_IP);
    assert_string_equal(pc, arch->names[arch->pc]);
    assert_string_equal(unw_regname(&cursor, UNW_REG_SP), arch->names[arch->sp]);
}

static void test_preserved_registers(void **state) {
    (void)state;
    const struct pm_arch *x86 = pm_arch(PM_MACHINE_X86_64), *arm = pm_arch(PM_MACHINE_AARCH64);
    for (unsigned i = 0; i < PM_REG_COUNT; i++) {
        const char *name = x86->public.names[i];
        bool preserved = name && (!strcmp(name, "rbx") || !strcmp(name, "rbp") || !strcmp(name, "r12") ||
                                  !strcmp(name, "r13") || !strcmp(name, "r14") || !strcmp(name, "r15"));
        assert_int_equal(x86->preserved >> i & 1, preserved);
        assert_int_equal(arm->preserved >> i & 1, i >= 19 && i <= 30);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x86_64_constants),
        cmocka_unit_test(test_aarch64_constants),
        cmocka_unit_test(test_library_names),
        cmocka_unit_test(test_preserved_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
