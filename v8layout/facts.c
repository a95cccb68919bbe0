#include "v8layout/facts.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"
#include "v8layout/root_names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

struct constant {
    const char *name; /* behind v8dbg_ */
    int64_t value;
};

struct v8_facts {
    const struct pm_core *core;
    const struct pm_modules *modules;
    const struct pm_module *module;
    const struct pm_mem *mem;
    enum pm_machine machine;
    char *hide; /* ",a,b," or NULL */
    PM_VEC(struct constant) constants;
    PM_VEC(const char *) roots;
    PM_VEC(struct v8_type_name) types;
    PM_VEC(char *) texts; /* texts of the process, owned */
    uint32_t heap_in_isolate, gc_state, blob_code, blob_size;
    struct v8_entry_offsets entry;
    struct v8_limit_offsets limits;
    bool has_tls_offset;
    int64_t tls_offset; /* from the thread pointer */
    char *node_version, *v8_version;
};

bool v8_facts_hidden(const struct v8_facts *facts, const char *name) {
    if (!facts->hide) return false;
    char *copy = strdup(facts->hide), *rest = copy;
    bool hidden = false;
    for (char *pattern; copy && !hidden && (pattern = strsep(&rest, ","));)
        hidden = *pattern && fnmatch(pattern, name, 0) == 0;
    free(copy);
    return hidden;
}

bool v8_facts_symbol(const struct v8_facts *facts, const char *name, pm_addr *addr_ret, uint64_t *size_ret) {
    struct pm_elf_symbol symbol;
    if (!facts->module || !facts->module->elf || v8_facts_hidden(facts, "symbols") ||
        !pm_elf_find_symbol(facts->module->elf, name, &symbol))
        return false;
    if (addr_ret) *addr_ret = pm_module_address(facts->module, symbol.value);
    if (size_ret) *size_ret = symbol.size;
    return true;
}

const uint8_t *v8_facts_code(const struct v8_facts *facts, const char *name, uint64_t *size_ret) {
    pm_addr addr;
    uint64_t size;
    if (!v8_facts_symbol(facts, name, &addr, &size) || size == 0) return NULL;
    const uint8_t *bytes = pm_mem_view(facts->mem, addr, size);
    if (!bytes) { /* not filled in: the file has it */
        struct pm_elf_symbol symbol;
        if (!pm_elf_find_symbol(facts->module->elf, name, &symbol)) return NULL;
        bytes = pm_elf_bytes(facts->module->elf, symbol.value, size);
    }
    if (bytes && size_ret) *size_ret = size;
    return bytes;
}

/* ---- v8dbg_* (src/../tools/gen-postmortem-metadata.py): int constants by name ---- */

static bool collect_constant(void *context, const struct pm_elf_symbol *symbol) {
    struct v8_facts *facts = context;
    const uint8_t *bytes = pm_elf_bytes(facts->module->elf, symbol->value, 4);
    if (!bytes || (symbol->size != 4 && symbol->size != 0) || v8_facts_hidden(facts, symbol->name))
        return true;
    struct constant constant = {symbol->name + strlen("v8dbg_"), (int32_t)pm_load_u32(bytes)};
    return pm_vec_push(&facts->constants, constant);
}

static int compare_constants(const void *a, const void *b) {
    return strcmp(((const struct constant *)a)->name, ((const struct constant *)b)->name);
}

/* First constant not less than name. */
static size_t lower_bound(const struct v8_facts *facts, const char *name) {
    size_t low = 0, high = facts->constants.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(facts->constants.items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool v8_facts_constant(const struct v8_facts *facts, const char *name, int64_t *ret) {
    size_t i = lower_bound(facts, name);
    if (i == facts->constants.count || strcmp(facts->constants.items[i].name, name) != 0) return false;
    *ret = facts->constants.items[i].value;
    return true;
}

bool v8_facts_class_field(const struct v8_facts *facts, const char *class_name, const char *fields,
                          int64_t *ret) {
    char prefix[160];
    while (*fields) {
        size_t length = strcspn(fields, "|");
        int written = snprintf(prefix, sizeof(prefix), "class_%s__%.*s", class_name, (int)length, fields);
        if (written > 0 && (size_t)written < sizeof(prefix)) {
            /* The suffix is the field's type and is renamed between versions: "__Smi", "__Tagged_Smi_", or
             * nothing at all. */
            for (size_t i = lower_bound(facts, prefix); i < facts->constants.count; i++) {
                const char *name = facts->constants.items[i].name;
                if (strncmp(name, prefix, (size_t)written) != 0) break;
                const char *rest = name + written;
                if (*rest != 0 && strncmp(rest, "__", 2) != 0) continue;
                *ret = facts->constants.items[i].value;
                return true;
            }
        }
        fields += length + (fields[length] == '|');
    }
    return false;
}

bool v8_facts_type(const struct v8_facts *facts, const char *name, int64_t *ret) {
    char tail[160];
    int length = snprintf(tail, sizeof(tail), "__%s_TYPE", name);
    if (length < 0 || (size_t)length >= sizeof(tail)) return false;
    for (size_t i = lower_bound(facts, "type_"); i < facts->constants.count; i++) {
        const struct constant *constant = &facts->constants.items[i];
        if (strncmp(constant->name, "type_", 5) != 0) break;
        size_t name_length = strlen(constant->name);
        if (name_length > (size_t)length &&
            strcmp(constant->name + name_length - (size_t)length, tail) == 0) {
            *ret = constant->value;
            return true;
        }
    }
    return false;
}

/* ---- roots: RootsTable::root_names_ (src/roots/roots.cc), an array of char pointers ---- */

static const char *keep_text(struct v8_facts *facts, pm_addr addr, size_t most) {
    char *text = pm_mem_string(facts->mem, addr, most);
    if (!text || !pm_vec_push(&facts->texts, text)) {
        free(text);
        return NULL;
    }
    return text;
}

static void collect_roots(struct v8_facts *facts) {
    pm_addr addr;
    uint64_t size;
    if (v8_facts_hidden(facts, "root_names") ||
        (!v8_facts_symbol(facts, "_ZN2v88internal10RootsTable11root_names_E", &addr, &size) &&
         !v8_root_names_by_content(facts->module, facts->mem, &addr, &size)))
        return;
    if (size % 8 || size < 8 * 100 || size > 8 * 10000) return;
    for (uint64_t i = 0; i < size / 8; i++) {
        uint64_t pointer;
        const char *name =
            pm_mem_u64(facts->mem, addr + 8 * i, &pointer) ? keep_text(facts, pointer, 256) : NULL;
        if (!name || !*name || !pm_vec_push(&facts->roots, name)) {
            facts->roots.count = 0; /* half a table is none: the indices would lie */
            return;
        }
    }
}

/* ---- instance types: ObjectStats::PrintJSON (src/heap/object-stats.cc) ----
 *
 * The function calls PrintInstanceTypeJSON(stream, gc, "FIXED_ARRAY_TYPE", FIXED_ARRAY_TYPE) once for each
 * type, so its code holds every name with its number, in arguments 4 and 5: x86-64 rcx and r8d, aarch64 x3
 * and w4. Operands are read between two calls; a wrong guess does not survive the check that the pointer
 * leads to an upper-case name. */

static bool is_type_name(const char *text) {
    size_t length = strlen(text);
    if (length < 3) return false;
    for (const char *c = text; *c; c++)
        if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_') return false;
    return true;
}

static void add_type(struct v8_facts *facts, pm_addr name_addr, uint32_t number) {
    char *name = number < V8_MAX_INSTANCE_TYPE ? pm_mem_string(facts->mem, name_addr, 128) : NULL;
    if (!name || !is_type_name(name)) {
        free(name);
        return;
    }
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, "_TYPE") == 0) name[length - 5] = 0;
    for (size_t i = 0; i < facts->types.count; i++)
        if (facts->types.items[i].number == number) {
            free(name);
            return;
        }
    struct v8_type_name type = {(uint16_t)number, name};
    if (!pm_vec_push(&facts->texts, name))
        free(name);
    else if (!pm_vec_push(&facts->types, type))
        return;
}

static void types_x86_64(struct v8_facts *facts, const uint8_t *code, uint64_t size, pm_addr start) {
    uint64_t previous = 0;
    for (uint64_t i = 0; i + 5 <= size; i++) {
        if (code[i] != 0xe8) continue;
        uint64_t target = start + i + 5 + (uint64_t)(int64_t)(int32_t)pm_load_u32(code + i + 1);
        if (pm_mem_probe(facts->mem, target, 1) != PM_MEM_BYTES) continue;
        uint64_t low = i - previous > 48 ? i - 48 : previous;
        bool has_name = false, has_number = false;
        pm_addr name = 0;
        uint32_t number = 0;
        for (uint64_t j = low; j < i; j++) {
            const uint8_t *at = code + j;
            uint64_t left = i - j;
            if (left >= 6 && at[0] == 0x41 && at[1] == 0xb8)
                number = pm_load_u32(at + 2), has_number = true, j += 5;
            else if (left >= 3 && at[0] == 0x45 && at[1] == 0x31 && at[2] == 0xc0)
                number = 0, has_number = true, j += 2;
            else if (left >= 7 && at[0] == 0x48 && at[1] == 0x8d && at[2] == 0x0d)
                name = start + j + 7 + (uint64_t)(int64_t)(int32_t)pm_load_u32(at + 3), has_name = true,
                j += 6;
            else if (left >= 5 && at[0] == 0xb9)
                name = pm_load_u32(at + 1), has_name = true, j += 4;
        }
        if (has_name && has_number) add_type(facts, name, number);
        previous = i + 5;
        i += 4;
    }
}

static void types_aarch64(struct v8_facts *facts, const uint8_t *code, uint64_t size, pm_addr start) {
    uint64_t page[32] = {0};
    pm_addr x3 = 0;
    uint32_t w4 = 0;
    bool has_x3 = false, has_w4 = false;
    for (uint64_t i = 0; i + 4 <= size; i += 4) {
        uint32_t op = pm_load_u32(code + i), rd = op & 31, rn = op >> 5 & 31;
        if ((op & 0x9f000000u) == 0x90000000u) { /* adrp */
            int64_t pages = (int64_t)((uint64_t)(op >> 5 & 0x7ffffu) << 2 | (op >> 29 & 3));
            if (pages & (1 << 20)) pages -= 1 << 21;
            page[rd] = ((start + i) & ~(uint64_t)0xfff) + ((uint64_t)pages << 12);
        } else if ((op & 0xffc00000u) == 0x91000000u) { /* add xd, xn, #imm */
            if (rd == 3)
                x3 = page[rn] + (op >> 10 & 0xfff), has_x3 = true;
            else
                page[rd] = page[rn] + (op >> 10 & 0xfff);
        } else if ((op & 0xffe00000u) == 0x52800000u && rd == 4) { /* movz w4, #imm */
            w4 = op >> 5 & 0xffff, has_w4 = true;
        } else if ((op & 0xfc000000u) == 0x94000000u) { /* bl */
            if (has_x3 && has_w4) add_type(facts, x3, w4);
            has_x3 = has_w4 = false;
        }
    }
}

static void collect_types(struct v8_facts *facts) {
    static const char symbol[] = "_ZN2v88internal11ObjectStats9PrintJSONEPKc";
    uint64_t size;
    pm_addr start;
    if (v8_facts_hidden(facts, "types") || !v8_facts_symbol(facts, symbol, &start, NULL)) return;
    const uint8_t *code = v8_facts_code(facts, symbol, &size);
    if (!code) return;
    if (facts->machine == PM_MACHINE_X86_64)
        types_x86_64(facts, code, size, start);
    else
        types_aarch64(facts, code, size, start);
    if (facts->types.count < 100) facts->types.count = 0; /* not the function we think it is */
}

/* ---- offsets in the code of small accessors ---- */

/* The 32-bit displacement behind the first match of three bytes under a mask; 0 = none. */
static uint32_t displacement(const uint8_t *code, uint64_t size, const uint8_t mask[3], const uint8_t want[3],
                             unsigned length) {
    for (uint64_t i = 0; i + length + 4 <= size; i++) {
        bool match = true;
        for (unsigned k = 0; k < length; k++) match &= (code[i + k] & mask[k]) == want[k];
        uint32_t value = pm_load_u32(code + i + length);
        if (match && value < 0x100000) return value;
    }
    return 0;
}

/* aarch64: the sum of immediates added to x0 up to and with the first load or store through it (or the first
 * pair of adds). */
static uint32_t aarch64_offset(const uint8_t *code, uint64_t size, bool wants_access) {
    uint32_t sum[32] = {0};
    bool based[32] = {[0] = true};
    for (uint64_t i = 0; i + 4 <= size && i < 160; i += 4) {
        uint32_t op = pm_load_u32(code + i), rd = op & 31, rn = op >> 5 & 31;
        if ((op & 0xff800000u) == 0x91000000u && based[rn]) { /* add xd, xn, #imm{, lsl 12} */
            uint32_t immediate = (op >> 10 & 0xfff) << (op >> 22 & 1 ? 12 : 0);
            sum[rd] = sum[rn] + immediate;
            based[rd] = true;
            if (!wants_access && sum[rd] > 0x1000 && !(op >> 22 & 1)) return sum[rd];
        } else if ((op & 0xffe0ffe0u) == 0xaa0003e0u) { /* mov xd, xm */
            uint32_t rm = op >> 16 & 31;
            sum[rd] = sum[rm];
            based[rd] = based[rm];
        } else if ((op & 0x3b000000u) == 0x39000000u && based[rn] &&
                   wants_access) { /* ldr / str, unsigned offset */
            uint32_t scale = op >> 30;
            if (rn != 31 && sum[rn] + ((op >> 10 & 0xfff) << scale) > 0)
                return sum[rn] + ((op >> 10 & 0xfff) << scale);
        }
    }
    return 0;
}

static void collect_offsets(struct v8_facts *facts) {
    uint64_t size;
    const uint8_t *code;
    bool x86 = facts->machine == PM_MACHINE_X86_64;
    if (!v8_facts_hidden(facts, "heap_in_isolate") &&
        (code = v8_facts_code(facts, "_ZN2v87Isolate17GetHeapStatisticsEPNS_14HeapStatisticsE", &size))) {
        if (size > 96) size = 96; /* lea heap(%rdi), %reg is among the first instructions */
        facts->heap_in_isolate = x86 ? displacement(code, size, (const uint8_t[]){0xfb, 0xff, 0xc7},
                                                    (const uint8_t[]){0x48, 0x8d, 0x87}, 3)
                                     : aarch64_offset(code, size, false);
    }
    if (!v8_facts_hidden(facts, "gc_state") &&
        (code = v8_facts_code(facts, "_ZN2v88internal4Heap10SetGCStateENS1_9HeapStateE", &size)))
        facts->gc_state = x86 ? displacement(code, size, (const uint8_t[]){0xff, 0xff, 0},
                                             (const uint8_t[]){0x89, 0xb7, 0}, 2)
                              : aarch64_offset(code, size, true);
    if (!v8_facts_hidden(facts, "blob")) {
        if ((code = v8_facts_code(facts, "_ZNK2v88internal7Isolate18embedded_blob_codeEv", &size)))
            facts->blob_code = x86 ? displacement(code, size, (const uint8_t[]){0xff, 0xff, 0xff},
                                                  (const uint8_t[]){0x48, 0x8b, 0x87}, 3)
                                   : aarch64_offset(code, size, true);
        if ((code = v8_facts_code(facts, "_ZNK2v88internal7Isolate23embedded_blob_code_sizeEv", &size)))
            facts->blob_size = x86 ? displacement(code, size, (const uint8_t[]){0xff, 0xff, 0},
                                                  (const uint8_t[]){0x8b, 0x87, 0}, 2)
                                   : aarch64_offset(code, size, true);
    }
}

/* Heap::MaxReserved() adds two or three times max_semi_space_size to max_old_generation_size: its loads from
 * the first argument are the two fields, in this order of address. V8 14 keeps the second one in an object of
 * its own (HeapLimits): then a third load goes through one of the two. */
static void limits_found(struct v8_facts *facts, const uint32_t field[2], uint32_t indirect) {
    bool ascending = field[0] < field[1];
    facts->limits = (struct v8_limit_offsets){field[ascending ? 0 : 1], field[ascending ? 1 : 0], indirect};
}

static void limits_x86_64(struct v8_facts *facts, const uint8_t *code, uint64_t size) {
    uint32_t field[2] = {0}, indirect = 0;
    unsigned count = 0;
    int holder[2] = {-1, -1}; /* registers that hold the fields */
    for (uint64_t i = 0; i + 4 <= size; i++) {
        const uint8_t *at = code + i;
        bool multiply = i + 5 <= size && at[0] == 0x48 && at[1] == 0x0f && at[2] == 0xaf && at[3] == 0x47;
        bool multiply_wide =
            i + 8 <= size && at[0] == 0x48 && at[1] == 0x0f && at[2] == 0xaf && at[3] == 0x87;
        if ((multiply || multiply_wide) && count < 2) {
            field[count++] = multiply ? at[4] : pm_load_u32(at + 4);
            i += multiply ? 4 : 7;
            continue;
        }
        if (at[0] != 0x48 || at[1] != 0x8b) continue;
        unsigned mod = at[2] >> 6, reg = at[2] >> 3 & 7, base = at[2] & 7;
        uint32_t offset = mod == 1 ? at[3] : mod == 2 && i + 7 <= size ? pm_load_u32(at + 3) : 0;
        if (mod != 1 && mod != 2) continue;
        if (base == 7 && count < 2) {
            holder[count] = (int)reg;
            field[count++] = offset;
        } else if ((int)base == holder[0] || (int)base == holder[1]) {
            indirect = offset;
        }
        i += mod == 1 ? 3 : 6;
    }
    if (count == 2) limits_found(facts, field, indirect);
}

static void limits_aarch64(struct v8_facts *facts, const uint8_t *code, uint64_t size) {
    uint32_t field[2] = {0}, sum[32] = {0}, indirect = 0, holder[2] = {32, 32};
    bool based[32] = {[0] = true};
    unsigned count = 0;
    for (uint64_t i = 0; i + 4 <= size; i += 4) {
        uint32_t op = pm_load_u32(code + i), rt = op & 31, rn = op >> 5 & 31, offset = (op >> 10 & 0xfff) * 8;
        if (op == 0xd65f03c0u) break;                         /* ret */
        if ((op & 0xffc00000u) == 0x91000000u && based[rn]) { /* add xt, xn, #imm */
            sum[rt] = sum[rn] + (op >> 10 & 0xfff);
            based[rt] = true;
        } else if ((op & 0xffc00000u) == 0xa9400000u && based[rn]) { /* ldp xt, xt2, [xn, #imm] */
            field[0] = sum[rn] + (op >> 15 & 0x7f) * 8;
            field[1] = field[0] + 8;
            count = 2;
        } else if ((op & 0xffc00000u) == 0xf9400000u) { /* ldr xt, [xn, #imm] */
            if (based[rn] && count < 2) {
                holder[count] = rt;
                field[count++] = sum[rn] + offset;
            } else if (rn == holder[0] || rn == holder[1]) {
                indirect = offset;
            }
            based[rt] = false;
        }
    }
    if (count == 2) limits_found(facts, field, indirect);
}

static void collect_limits(struct v8_facts *facts) {
    static const char *const names[] = {"_ZNK2v88internal4Heap11MaxReservedEv",
                                        "_ZN2v88internal4Heap11MaxReservedEv"};
    uint64_t size;
    for (unsigned i = 0; i < 2 && !v8_facts_hidden(facts, "limits"); i++) {
        const uint8_t *code = v8_facts_code(facts, names[i], &size);
        if (!code) continue;
        if (facts->machine == PM_MACHINE_X86_64)
            limits_x86_64(facts, code, size);
        else
            limits_aarch64(facts, code, size);
        return;
    }
}

/* Builtins_JSEntry pushes c_entry_fp, loads the context into r10 and js_entry_sp into rax, all by the root
 * register r13 (src/builtins/x64/builtins-x64.cc, Generate_JSEntryVariant). aarch64 uses x26 and offsets in
 * ldr; there c_entry_fp is found by content instead (discover.c). */
static void collect_entry(struct v8_facts *facts) {
    uint64_t size;
    const uint8_t *code = v8_facts_code(facts, "Builtins_JSEntry", &size);
    if (!code || facts->machine != PM_MACHINE_X86_64 || v8_facts_hidden(facts, "jsentry")) return;
    for (uint64_t i = 0; i + 7 <= size && i < 128; i++) {
        const uint8_t *at = code + i;
        uint32_t wide = pm_load_u32(at + 3), narrow = at[3];
        uint32_t *field = NULL;
        if (at[0] == 0x41 && at[1] == 0xff && (at[2] == 0xb5 || at[2] == 0x75) && !facts->entry.c_entry_fp)
            field = &facts->entry.c_entry_fp;
        else if (at[0] == 0x4d && at[1] == 0x8b && (at[2] == 0x95 || at[2] == 0x55) && !facts->entry.context)
            field = &facts->entry.context;
        else if (at[0] == 0x49 && at[1] == 0x8b && (at[2] == 0x85 || at[2] == 0x45) &&
                 !facts->entry.js_entry_sp)
            field = &facts->entry.js_entry_sp;
        if (!field) continue;
        *field = at[2] & 0x80 ? wide : narrow;
        i += at[2] & 0x80 ? 6 : 3;
    }
}

/* ---- the isolate of a thread ---- */

static void collect_tls(struct v8_facts *facts) {
    struct pm_elf_symbol symbol;
    uint64_t memory_size, alignment;
    int key;
    if (!facts->module || !facts->module->elf || v8_facts_hidden(facts, "tls")) return;
    if (pm_elf_find_symbol(facts->module->elf, "_ZN2v88internal18g_current_isolate_E", &symbol)) {
        /* Static TLS of the executable only: of a library the block's place is in the DTV. */
        if (!facts->module->is_program || !pm_elf_tls(facts->module->elf, &memory_size, &alignment)) return;
        if (alignment == 0 || alignment > 4096 || memory_size > 1 << 24) return;
        facts->tls_offset = facts->machine == PM_MACHINE_X86_64
                                ? (int64_t)symbol.value - (int64_t)pm_align_up(memory_size, alignment)
                                : (int64_t)(pm_align_up(16, alignment) + symbol.value);
        facts->has_tls_offset = true;
    } else if (pm_elf_find_symbol(facts->module->elf, "_ZN2v88internal7Isolate12isolate_key_E", &symbol)) {
        /* pthread_getspecific: struct pthread.specific_1stblock[key].data of glibc on x86-64 (key < 32). */
        uint32_t value;
        if (facts->machine != PM_MACHINE_X86_64 ||
            !pm_mem_u32(facts->mem, pm_module_address(facts->module, symbol.value), &value))
            return;
        key = (int)value;
        if (key < 0 || key >= 32) return;
        facts->tls_offset = 0x310 + 16 * key + 8;
        facts->has_tls_offset = true;
    }
}

pm_addr v8_facts_thread_isolate(const struct v8_facts *facts, const struct pm_core_thread *thread) {
    uint64_t isolate;
    if (!facts->has_tls_offset || !thread->has_thread_pointer ||
        !pm_mem_u64(facts->mem, thread->thread_pointer + (uint64_t)facts->tls_offset, &isolate))
        return 0;
    return isolate;
}

/* ---- versions, for display ---- */

static bool is_version_text(const char *text) {
    if (!isdigit((unsigned char)*text)) return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(".-+~", *c)) return false;
    return strchr(text, '.') != NULL;
}

static char *version_text(const struct v8_facts *facts, pm_addr addr) {
    char *text = pm_mem_string(facts->mem, addr, 64);
    if (text && !is_version_text(text)) {
        free(text);
        return NULL;
    }
    return text;
}

static void collect_versions(struct v8_facts *facts) {
    pm_addr addr;
    uint64_t pointer;
    if (v8_facts_symbol(facts, "_ZN2v88internal7Version15version_string_E", &addr, NULL) &&
        pm_mem_u64(facts->mem, addr, &pointer))
        facts->v8_version = version_text(facts, pointer);
    /* node::per_process::metadata begins with Versions, whose first member is std::string node
     * (src/node_metadata.h); both standard libraries keep short texts near, libstdc++ through a pointer in
     * the first word. */
    if (v8_facts_symbol(facts, "_ZN4node11per_process8metadataE", &addr, NULL) &&
        pm_mem_u64(facts->mem, addr, &pointer)) {
        facts->node_version = version_text(facts, pointer);
        if (!facts->node_version)
            facts->node_version = version_text(facts, addr + 1); /* libc++'s short form */
    }
}

/* ---- life ---- */

struct pm_error *v8_facts_create(const struct pm_core *core, const struct pm_modules *modules,
                                 const char *hide, struct v8_facts **ret) {
    struct v8_facts *facts = calloc(1, sizeof(*facts));
    if (!facts) return pm_error_nomem();
    facts->core = core;
    facts->modules = modules;
    facts->mem = pm_core_memory(core);
    facts->machine = pm_core_info(core)->machine;
    facts->module = modules ? pm_modules_v8(modules) : NULL;
    if (hide && *hide && !(facts->hide = strdup(hide))) {
        v8_facts_destroy(facts);
        return pm_error_nomem();
    }
    if (facts->module && facts->module->elf) {
        pm_elf_each_symbol(facts->module->elf, "v8dbg_", collect_constant, facts);
        pm_sort(facts->constants.items, facts->constants.count, sizeof(struct constant), compare_constants);
        collect_roots(facts);
        collect_types(facts);
        collect_offsets(facts);
        collect_entry(facts);
        collect_limits(facts);
        collect_tls(facts);
        collect_versions(facts);
    }
    *ret = facts;
    return NULL;
}

void v8_facts_destroy(struct v8_facts *facts) {
    if (!facts) return;
    for (size_t i = 0; i < facts->texts.count; i++) free(facts->texts.items[i]);
    pm_vec_deinit(&facts->texts);
    pm_vec_deinit(&facts->constants);
    pm_vec_deinit(&facts->roots);
    pm_vec_deinit(&facts->types);
    free(facts->hide);
    free(facts->node_version);
    free(facts->v8_version);
    free(facts);
}

const struct pm_module *v8_facts_module(const struct v8_facts *facts) {
    return facts->module;
}
size_t v8_facts_root_count(const struct v8_facts *facts) {
    return facts->roots.count;
}
const char *const *v8_facts_root_names(const struct v8_facts *facts) {
    return facts->roots.items;
}
const struct v8_type_name *v8_facts_types(const struct v8_facts *facts, size_t *count_ret) {
    *count_ret = facts->types.count;
    return facts->types.items;
}
uint32_t v8_facts_heap_in_isolate(const struct v8_facts *facts) {
    return facts->heap_in_isolate;
}
uint32_t v8_facts_gc_state_in_heap(const struct v8_facts *facts) {
    return facts->gc_state;
}
struct v8_entry_offsets v8_facts_entry(const struct v8_facts *facts) {
    return facts->entry;
}
bool v8_facts_limits(const struct v8_facts *facts, struct v8_limit_offsets *ret) {
    *ret = facts->limits;
    return facts->limits.old_generation != 0;
}
void v8_facts_blob_fields(const struct v8_facts *facts, uint32_t *code_ret, uint32_t *size_ret) {
    *code_ret = facts->blob_code;
    *size_ret = facts->blob_size;
}
const char *v8_facts_node_version(const struct v8_facts *facts) {
    return facts->node_version;
}
const char *v8_facts_v8_version(const struct v8_facts *facts) {
    return facts->v8_version;
}
