/* code.h - from a program counter to the code it is in: V8's embedded builtins, a compiled function, or none
 * of the two.
 *
 *   builtins   one blob of machine code inside the binary. V8 may run a copy of it near its code range
 * ("short builtin calls": the pages are mapped a second time, or copied); every copy is known here by Isolate
 * fields. JIT        InstructionStream objects (Code objects before V8 11) in executable pages of the heap
 *
 * Knows where a return address of compiled code was in terms of bytecode (baseline) or of a deoptimisation
 * entry (optimised). OWNERSHIP  v8 must outlive it; names belong to the binary. THREADS  not thread-safe
 * (caches). FAILURE    what cannot be found is false, never a guess; all tables are read inside the object
 * that holds them. */
#ifndef PM_V8LAYOUT_CODE_H
#define PM_V8LAYOUT_CODE_H

#include "v8layout/heap.h"

enum v8_pc_kind {
    V8_PC_NOWHERE, /* not executable memory of the process */
    V8_PC_NATIVE,  /* an ELF file or the vdso */
    V8_PC_BUILTIN, /* the blob or a copy of it */
    V8_PC_JIT,     /* executable memory without a file */
};

struct v8_builtin {
    const char *name; /* "CEntry_Return1_ArgvOnStack_BuiltinExit", NULL = the binary has no names for them */
    pm_addr start;    /* where it runs; 0 = unknown */
    uint64_t size;    /* 0 = unknown */
};

enum v8_code_kind {
    V8_CODE_UNKNOWN,
    V8_CODE_BASELINE,
    V8_CODE_MAGLEV,
    V8_CODE_TURBOFAN,
    V8_CODE_REGEXP,
    V8_CODE_OTHER
};

struct v8_code {
    pm_addr stream; /* the object that holds the instructions */
    pm_addr code;   /* its Code object (the same before V8 11) */
    pm_addr start;  /* first instruction */
    uint32_t size;  /* of the instructions; tables follow */
    uint32_t metadata_size;
    enum v8_code_kind kind;
    pm_addr deopt_data; /* DeoptimizationData; baseline: the BytecodeArray (or InterpreterData); 0 = none */
    pm_addr positions;  /* source position table; baseline: bytecode offset table; 0 = none */
};

struct v8_codes;

/* NULL without memory. */
struct v8_codes *v8_codes_create(const struct v8 *v8);
void v8_codes_destroy(struct v8_codes *codes);

enum v8_pc_kind v8_codes_classify(const struct v8_codes *codes, pm_addr pc);
/* exact = pc is where execution stopped, not a return address. */
bool v8_codes_builtin(const struct v8_codes *codes, pm_addr pc, bool exact, struct v8_builtin *ret);
bool v8_codes_have_names(const struct v8_codes *codes); /* do builtins have names in this binary? */
bool v8_codes_find(struct v8_codes *codes, pm_addr pc, struct v8_code *ret);

/* The bytecode offset a baseline pc belongs to; -1 = the function's entry; false = the tables do not say. */
bool v8_codes_baseline_offset(const struct v8_codes *codes, const struct v8_code *code, pm_addr bytecode,
                              uint32_t pc_offset, bool exact, int32_t *ret);
/* The deoptimisation entry of a return address (or of the trampoline that replaced it); false = the call has
 * none. */
bool v8_codes_deopt_index(struct v8_codes *codes, const struct v8_code *code, uint32_t pc_offset,
                          int32_t *ret);

/* ---- the decoders alone, for tests ---- */
/* `sizes`: Bytecodes::kBytecodeSizes, three rows of `count`. */
bool v8_decode_baseline_offset(const uint8_t *table, uint32_t table_length, const uint8_t *bytecodes,
                               uint32_t bytecode_length, const uint8_t *sizes, uint32_t count,
                               uint32_t pc_offset, int32_t *ret);

/* Forms of a safepoint table (src/codegen/safepoint-table.h, maglev-safepoint-table.h). */
enum v8_safepoint_form {
    V8_SAFEPOINT_FIXED,        /* length, entry size; {u32 pc, u32 deopt index, i32 trampoline}: V8 9.4 */
    V8_SAFEPOINT_PACKED,       /* length, configuration: V8 9.8 to 12.4 */
    V8_SAFEPOINT_SLOTS,        /* stack slots, length, configuration: V8 13 and later */
    V8_SAFEPOINT_MAGLEV,       /* length, configuration, 2 counts; one more byte per entry: V8 11 and 12 */
    V8_SAFEPOINT_MAGLEV_SLOTS, /* stack slots, length, configuration, 1 count; one more byte: V8 13 and later
                                */
    V8_SAFEPOINT_FORMS
};
extern const char *const v8_safepoint_form_names[V8_SAFEPOINT_FORMS];
/* false = the bytes do not have this form. index_ret -1 = this form, but no entry with an index for
 * pc_offset. */
bool v8_decode_safepoint(enum v8_safepoint_form form, const uint8_t *bytes, uint32_t length,
                         uint32_t code_size, uint32_t pc_offset, int32_t *index_ret);

/* What was chosen, for `layouts --explain`: -1 = not used in this core. */
int v8_codes_safepoint_form(const struct v8_codes *codes, bool maglev);
size_t v8_codes_blob_count(const struct v8_codes *codes);
bool v8_codes_blob(const struct v8_codes *codes, size_t index, pm_addr *start_ret, pm_addr *end_ret,
                   const char **evidence_ret);

#endif
