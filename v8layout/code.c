#include "v8layout/code.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/checked.h"
#include "postmortem/base/vec.h"
#include "v8layout/blob.h"
#include "v8layout/objects.h"
#include "v8layout/vlq.h"

struct blob {
    pm_addr start, end;
    const char *evidence;
};

enum { CODE_CACHE = 32, BYTECODE_MAX_COUNT = 512 };

struct v8_codes {
    const struct v8 *v8;
    PM_VEC(struct blob) blobs;
    pm_addr blob_in_file, blob_in_file_end; /* the blob in the binary's own mapping; 0 = unknown */
    bool has_names;
    const uint8_t *bytecode_sizes;
    uint32_t bytecode_count;
    v8_word stream_map; /* tagged; 0 = unknown */
    enum v8_type stream_type;
    int64_t kind_mask, kind_baseline; /* -1 = not published */
    int safepoint_form[2];            /* [maglev]; -1 = none chosen yet */
    struct v8_code cache[CODE_CACHE];
    unsigned cache_next;
};

const char *const v8_safepoint_form_names[V8_SAFEPOINT_FORMS] = {
    [V8_SAFEPOINT_FIXED] = "fixed entries (V8 9)",
    [V8_SAFEPOINT_PACKED] = "packed entries (V8 10 to 12)",
    [V8_SAFEPOINT_SLOTS] = "stack slots, packed entries (V8 13 and later)",
    [V8_SAFEPOINT_MAGLEV] = "Maglev, two slot counts (V8 11 and 12)",
    [V8_SAFEPOINT_MAGLEV_SLOTS] = "Maglev, stack slots (V8 13 and later)",
};

/* ---- where the builtins are ---- */

static void add_blob(struct v8_codes *codes, pm_addr start, uint64_t size, const char *evidence) {
    /* 9.4 has 1.4 MB of builtins, 14.6 3 MB. */
    if (!start || size < 4096 || size > (64u << 20) || start > UINT64_MAX - size) return;
    for (size_t i = 0; i < codes->blobs.count; i++)
        if (codes->blobs.items[i].start == start) return;
    struct blob blob = {start, start + size, evidence};
    (void)pm_vec_push(&codes->blobs, blob); /* without memory: its frames are named less well */
}

static bool fact_u32(const struct v8_codes *codes, const char *symbol, uint32_t *ret) {
    pm_addr addr;
    uint64_t size;
    if (v8_facts_symbol(codes->v8->facts, symbol, &addr, &size) && pm_mem_u32(codes->v8->mem, addr, ret))
        return true;
    const uint8_t *bytes = v8_facts_code(codes->v8->facts, symbol, &size);
    if (!bytes || size < 4) return false;
    *ret = pm_load_u32(bytes);
    return true;
}

struct hull {
    uint64_t start, end;
};

static bool widen(void *context, const struct pm_elf_symbol *symbol) {
    struct hull *hull = context;
    if (symbol->size == 0) return true;
    if (symbol->value < hull->start) hull->start = symbol->value;
    if (symbol->value + symbol->size > hull->end) hull->end = symbol->value + symbol->size;
    return true;
}

/* The blob without its own symbols: from the first to the last builtin. */
static void find_named_builtins(struct v8_codes *codes) {
    const struct pm_module *module = v8_facts_module(codes->v8->facts);
    struct hull hull = {.start = UINT64_MAX};
    if (!module || !module->elf) return;
    pm_elf_each_symbol(module->elf, "Builtins_", widen, &hull);
    if (hull.end <= hull.start) return;
    codes->blob_in_file = hull.start + module->bias;
    codes->blob_in_file_end = hull.end + module->bias;
    add_blob(codes, codes->blob_in_file, hull.end - hull.start, "symbols of the builtins");
}

/* Without symbols: where the binary itself has what the isolate calls. Both copies run. */
static void add_first_copy(struct v8_codes *codes, pm_addr copy, uint32_t size) {
    pm_addr first = v8_blob_in_file(codes->v8, copy, size);
    if (!first) return;
    codes->blob_in_file = first;
    codes->blob_in_file_end = first + size;
    add_blob(codes, first, size, "the same code in the binary");
}

static void find_blobs(struct v8_codes *codes) {
    const struct v8 *v8 = codes->v8;
    pm_addr text = 0;
    uint64_t unused;
    uint32_t size = 0;
    /* The first name is the text where it exists; the second one is then only a pointer to it (V8 11 and
     * older). */
    if (!v8_facts_symbol(v8->facts, "v8_Default_embedded_blob_code_data_", &text, &unused))
        (void)v8_facts_symbol(v8->facts, "v8_Default_embedded_blob_code_", &text, &unused);
    if (text && fact_u32(codes, "v8_Default_embedded_blob_code_size_", &size)) {
        codes->blob_in_file = text;
        codes->blob_in_file_end = text + size;
        add_blob(codes, text, size, "symbols of the embedded blob");
    }
    if (!codes->blob_in_file && !v8_facts_hidden(v8->facts, "symbols")) find_named_builtins(codes);
    uint32_t code_field, size_field;
    v8_facts_blob_fields(v8->facts, &code_field, &size_field);
    if (!code_field || !size_field) {
        if (codes->blob_in_file || !v8_blob_find_fields(v8, &code_field, &size_field)) return;
    }
    for (size_t i = 0; i < v8->isolate_count; i++) {
        pm_addr start;
        uint32_t bytes;
        if (!pm_mem_u64(v8->mem, v8->isolates[i].address + code_field, &start) ||
            !pm_mem_u32(v8->mem, v8->isolates[i].address + size_field, &bytes))
            continue;
        add_blob(codes, start, bytes, "fields of the Isolate");
        if (!codes->blob_in_file) add_first_copy(codes, start, bytes);
    }
}

/* Where an address of builtin code, of whatever copy, is in the first mapping of the binary; false = no
 * builtin. A copy that was mapped again is told by the file behind it, one in anonymous memory by the
 * Isolate's fields. */
static bool in_blob(const struct v8_codes *codes, pm_addr pc, pm_addr *in_file_ret, pm_addr *copy_ret) {
    for (size_t i = 0; i < codes->blobs.count; i++) {
        const struct blob *blob = &codes->blobs.items[i];
        if (pc < blob->start || pc >= blob->end) continue;
        *in_file_ret = codes->blob_in_file ? pc - blob->start + codes->blob_in_file : 0;
        *copy_ret = blob->start;
        return true;
    }
    const struct pm_module *module = v8_facts_module(codes->v8->facts);
    uint64_t vaddr;
    if (!codes->blob_in_file || !module || pm_modules_find(codes->v8->modules, pc, &vaddr) != module)
        return false;
    pm_addr first = vaddr + module->bias;
    if (first < codes->blob_in_file || first >= codes->blob_in_file_end) return false;
    *in_file_ret = first;
    *copy_ret = pc - first + codes->blob_in_file;
    return true;
}

enum v8_pc_kind v8_codes_classify(const struct v8_codes *codes, pm_addr pc) {
    pm_addr in_file, copy;
    if (in_blob(codes, pc, &in_file, &copy)) return V8_PC_BUILTIN;
    const struct v8 *v8 = codes->v8;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(v8->modules, pc, &vaddr);
    if (module) return V8_PC_NATIVE;
    pm_addr vdso = pm_core_info(v8->core)->sysinfo_ehdr;
    if (vdso && pc >= vdso && pc - vdso < 4 * 4096) return V8_PC_NATIVE;
    const struct v8_page *page = v8_page_of(v8, pc);
    if (page) return page->executable ? V8_PC_JIT : V8_PC_NOWHERE;
    const struct pm_mem_range *range = pm_mem_find(v8->mem, pc);
    if (!range || !(range->protection & PM_MEM_EXECUTE)) return V8_PC_NOWHERE;
    /* WebAssembly code is not in V8's pages. Without the list of mapped files (qemu's cores) it may be any
     * library. */
    return pm_core_info(v8->core)->has_files ? V8_PC_JIT : V8_PC_NATIVE;
}

/* The symbol of a builtin by its address in the file, whatever copy runs. */
bool v8_codes_builtin(const struct v8_codes *codes, pm_addr pc, bool exact, struct v8_builtin *ret) {
    pm_addr in_file, copy;
    *ret = (struct v8_builtin){0};
    if (!in_blob(codes, pc, &in_file, &copy)) return false;
    const struct pm_module *module = v8_facts_module(codes->v8->facts);
    if (!module || !module->elf || !in_file) return true;
    uint64_t vaddr = in_file - module->bias;
    struct pm_elf_symbol symbol;
    if (!pm_elf_symbol_at(module->elf, exact ? vaddr : vaddr - 1, &symbol)) return true;
    if (strncmp(symbol.name, "Builtins_", 9) != 0) return true;
    ret->name = symbol.name + 9;
    ret->start = symbol.value + module->bias - codes->blob_in_file + copy;
    ret->size = symbol.size;
    return true;
}

bool v8_codes_have_names(const struct v8_codes *codes) {
    return codes->has_names;
}

/* ---- compiled functions ---- */

static pm_addr code_ref(const struct v8_codes *codes, pm_addr code, struct v8_field field) {
    v8_word word;
    if (!field.present || !v8_word_at(codes->v8, code, field.offset, &word) || !v8_is_pointer(word)) return 0;
    return v8_untag(word);
}

/* src/objects/code-kind.h: BASELINE, MAGLEV, TURBOFAN follow each other (up to V8 10 early forms of Turbofan
 * instead of Maglev); REGEXP is 3, from V8 14 on 4, and nothing else of that number is ever on the heap. */
static enum v8_code_kind kind_of(const struct v8_codes *codes, const struct v8_code *code, uint32_t flags) {
    enum v8_type type = code->deopt_data ? v8_type_at(codes->v8, code->deopt_data) : V8_T_OTHER;
    if (type == V8_T_BYTECODE_ARRAY || type == V8_T_INTERPRETER_DATA) return V8_CODE_BASELINE;
    int64_t kind = flags & codes->kind_mask, baseline = codes->kind_baseline;
    if (kind == 3 || kind == 4) return V8_CODE_REGEXP;
    if (baseline >= 0) {
        if (kind == baseline) return V8_CODE_BASELINE;
        if (!codes->v8->layout.stream_code.present && kind > baseline) return V8_CODE_TURBOFAN;
        return kind == baseline + 1   ? V8_CODE_MAGLEV
               : kind == baseline + 2 ? V8_CODE_TURBOFAN
                                      : V8_CODE_OTHER;
    }
    /* Not published: baseline code was told above, and it was 10 or 11 where Maglev exists. */
    if (kind < 11 || kind > 13) return V8_CODE_OTHER;
    if (kind != 12) return kind == 11 ? V8_CODE_MAGLEV : V8_CODE_TURBOFAN;
    const uint8_t *table = pm_mem_view(codes->v8->mem, code->start + code->size, code->metadata_size);
    int32_t unused;
    bool turbofan =
        table &&
        (v8_decode_safepoint(V8_SAFEPOINT_PACKED, table, code->metadata_size, code->size, 0, &unused) ||
         v8_decode_safepoint(V8_SAFEPOINT_SLOTS, table, code->metadata_size, code->size, 0, &unused));
    return turbofan ? V8_CODE_TURBOFAN : V8_CODE_MAGLEV;
}

/* Where Code keeps what we need; a form that is not the layout's own is tried when that one does not fit. */
struct code_form {
    uint16_t start, flags, instruction_size, metadata_size;
};
static const struct code_form other_forms[] = {
    {32, 40, 44, 48}, /* V8 11.8 (Node 21) */
};

static bool apply_form(const struct v8_codes *codes, const struct code_form *form, struct v8_code *code,
                       uint32_t *flags_ret) {
    const struct pm_mem *mem = codes->v8->mem;
    pm_addr at = code->code;
    if (!pm_mem_u64(mem, at + form->start, &code->start) ||
        !pm_mem_u32(mem, at + form->instruction_size, &code->size) ||
        !pm_mem_u32(mem, at + form->metadata_size, &code->metadata_size) ||
        !pm_mem_u32(mem, at + form->flags, flags_ret))
        return false;
    /* The instructions follow the short header of their stream. */
    return code->start > code->stream && code->start - code->stream <= 256 && code->size > 0 &&
           code->size < 1u << 30 && code->metadata_size < 1u << 30;
}

static bool load_code(const struct v8_codes *codes, pm_addr stream, struct v8_code *ret) {
    const struct v8 *v8 = codes->v8;
    const struct v8_layout *layout = &v8->layout;
    *ret = (struct v8_code){.stream = stream, .code = stream};
    uint32_t flags = 0;
    if (layout->stream_code.present) {
        struct code_form form = {layout->code_instruction_start.offset, layout->code_flags.offset,
                                 layout->code_instruction_size.offset, layout->code_metadata_size.offset};
        ret->code = code_ref(codes, stream, layout->stream_code);
        if (!ret->code) return false;
        bool fits = layout->code_instruction_start.present && layout->code_instruction_size.present &&
                    apply_form(codes, &form, ret, &flags);
        for (size_t i = 0; !fits && i < sizeof(other_forms) / sizeof(other_forms[0]); i++)
            fits = apply_form(codes, &other_forms[i], ret, &flags);
        if (!fits) return false;
    } else {
        if (!layout->code_instruction_start.present) return false;
        ret->start = stream + layout->code_instruction_start.offset;
        if (!v8_field_u32(v8, stream, layout->code_instruction_size, &ret->size)) return false;
        (void)v8_field_u32(v8, stream, layout->code_metadata_size, &ret->metadata_size);
        (void)v8_field_u32(v8, stream, layout->code_flags, &flags);
        if (ret->size == 0 || ret->size > (1u << 30) || ret->metadata_size > (1u << 30)) return false;
    }
    ret->deopt_data = code_ref(codes, ret->code, layout->code_deoptimization_data);
    ret->positions = code_ref(codes, ret->code, layout->code_source_positions);
    ret->kind = kind_of(codes, ret, flags);
    return true;
}

static bool holds(const struct v8_code *code, pm_addr pc) {
    return pc >= code->start && pc - code->start <= code->size;
}

static bool is_stream(const struct v8_codes *codes, pm_addr object, v8_word map_word) {
    if (codes->stream_map) return map_word == codes->stream_map;
    return v8_is_strong(map_word) && v8_type_at(codes->v8, object) == codes->stream_type;
}

bool v8_codes_find(struct v8_codes *codes, pm_addr pc, struct v8_code *ret) {
    for (unsigned i = 0; i < CODE_CACHE; i++) {
        if (codes->cache[i].size && holds(&codes->cache[i], pc)) {
            *ret = codes->cache[i];
            return true;
        }
    }
    const struct v8_page *page = v8_page_of(codes->v8, pc);
    if (!page || !page->executable || pc < page->start) return false;
    pm_addr first = page->large ? page->start : pc & ~(pm_addr)7;
    for (pm_addr at = first; at >= page->start && at <= first; at -= 8) {
        v8_word map_word;
        if (!pm_mem_u64(codes->v8->mem, at, &map_word)) return false;
        struct v8_code code;
        if (!is_stream(codes, at, map_word) || !load_code(codes, at, &code) || !holds(&code, pc)) continue;
        codes->cache[codes->cache_next++ % CODE_CACHE] = code;
        *ret = code;
        return true;
    }
    return false;
}

/* ---- baseline: code size of each bytecode ---- */

bool v8_decode_baseline_offset(const uint8_t *table, uint32_t table_length, const uint8_t *bytecodes,
                               uint32_t bytecode_length, const uint8_t *sizes, uint32_t count,
                               uint32_t pc_offset, int32_t *ret) {
    uint32_t position = 0, part, offset = 0;
    if (!v8_vlq_unsigned(table, table_length, &position, &part)) return false;
    uint64_t end = part; /* of the prologue */
    int32_t current = -1;
    while (end < pc_offset) {
        if (offset >= bytecode_length || !v8_vlq_unsigned(table, table_length, &position, &part))
            return false;
        end += part;
        current = (int32_t)offset;
        uint32_t row = 0,
                 at = offset; /* Wide and ExtraWide prefixes, each also in its DebugBreak form, are 0 to 3 */
        if (bytecodes[at] <= 3) {
            row = bytecodes[at] & 1 ? 2 : 1;
            if (++at >= bytecode_length) return false;
        }
        if (bytecodes[at] >= count) return false;
        uint32_t size = sizes[row * count + bytecodes[at]];
        if (size == 0) return false;
        offset = at + size;
    }
    *ret = current;
    return true;
}

/* A byte array's bytes, as far as its object goes. */
static const uint8_t *byte_array(const struct v8 *v8, pm_addr array, uint32_t *length_ret) {
    v8_word word;
    if (!array || !v8->layout.array_length.present || !v8->layout.array_data.present) return NULL;
    if (!v8_word_at(v8, array, v8->layout.array_length.offset, &word) || !v8_is_smi(word) ||
        v8_smi(word) <= 0)
        return NULL;
    uint32_t length = (uint32_t)v8_smi(word);
    const uint8_t *bytes = pm_mem_view(v8->mem, array + v8->layout.array_data.offset, length);
    if (bytes) *length_ret = length;
    return bytes;
}

bool v8_codes_baseline_offset(const struct v8_codes *codes, const struct v8_code *code, pm_addr bytecode,
                              uint32_t pc_offset, bool exact, int32_t *ret) {
    const struct v8 *v8 = codes->v8;
    v8_word word;
    uint32_t table_length;
    const uint8_t *table = byte_array(v8, code->positions, &table_length);
    if (!table || !bytecode || !codes->bytecode_sizes || !v8->layout.bytecode_data.present) return false;
    if (!v8_word_at(v8, bytecode, v8->layout.array_length.offset, &word) || !v8_is_smi(word) ||
        v8_smi(word) <= 0)
        return false;
    uint32_t length = (uint32_t)v8_smi(word);
    const uint8_t *bytecodes = pm_mem_view(v8->mem, bytecode + v8->layout.bytecode_data.offset, length);
    if (!bytecodes) return false;
    return v8_decode_baseline_offset(table, table_length, bytecodes, length, codes->bytecode_sizes,
                                     codes->bytecode_count, exact ? pc_offset + 1 : pc_offset, ret);
}

/* ---- optimised: the safepoint table, first of the tables behind the instructions ---- */

static uint32_t little(const uint8_t *bytes, uint32_t count) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < count && i < 4; i++) value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

bool v8_decode_safepoint(enum v8_safepoint_form form, const uint8_t *bytes, uint32_t length,
                         uint32_t code_size, uint32_t pc_offset, int32_t *index_ret) {
    *index_ret = -1;
    bool maglev = form == V8_SAFEPOINT_MAGLEV || form == V8_SAFEPOINT_MAGLEV_SLOTS;
    bool slots = form == V8_SAFEPOINT_SLOTS || form == V8_SAFEPOINT_MAGLEV_SLOTS;
    uint32_t header = maglev ? 16 : slots ? 12 : 8;
    if (length < header) return false;
    uint32_t count = pm_load_u32(bytes + (slots ? 4 : 0));
    uint32_t configuration = pm_load_u32(bytes + (slots ? 8 : 4));
    uint32_t pc_size, deopt_size, entry_size;
    bool has_deopt;
    if (form == V8_SAFEPOINT_FIXED) {
        pc_size = deopt_size = 4;
        entry_size = 12;
        has_deopt = true;
        if (configuration > 4096) return false; /* bytes of slot bits for each entry */
    } else {
        has_deopt = configuration & 1;
        uint32_t register_size = configuration >> 1 & 7;
        pc_size = configuration >> 4 & 7;
        deopt_size = configuration >> 7 & 7;
        if (register_size > 4 || pc_size > 4 || deopt_size > 4 || (count && pc_size == 0)) return false;
        entry_size = pc_size + (has_deopt ? pc_size + deopt_size : 0) + register_size + maglev;
    }
    if (count == 0) return configuration == 0 || form != V8_SAFEPOINT_FIXED;
    if (count > (length - header) / (entry_size ? entry_size : 1)) return false;
    int64_t previous = -1;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + header + (size_t)i * entry_size;
        uint32_t pc = little(entry, pc_size);
        int64_t index = -1, trampoline = -1;
        if (form == V8_SAFEPOINT_FIXED) {
            index = (int32_t)pm_load_u32(entry + 4);
            trampoline = (int32_t)pm_load_u32(entry + 8);
            if (pc == UINT32_MAX && count == 1) { /* one entry for all */
                *index_ret = (int32_t)index;
                return true;
            }
        } else if (has_deopt) {
            index = (int64_t)little(entry + pc_size, deopt_size) - 1;
            trampoline = (int64_t)little(entry + pc_size + deopt_size, pc_size) - 1;
        }
        if ((int64_t)pc <= previous || pc > code_size || trampoline > (int64_t)code_size || index > INT32_MAX)
            return false;
        previous = pc;
        if (pc == pc_offset || trampoline == (int64_t)pc_offset) *index_ret = (int32_t)index;
    }
    return true;
}

bool v8_codes_deopt_index(struct v8_codes *codes, const struct v8_code *code, uint32_t pc_offset,
                          int32_t *ret) {
    const uint8_t *bytes = pm_mem_view(codes->v8->mem, code->start + code->size, code->metadata_size);
    if (!bytes || code->metadata_size < 8) return false;
    bool maglev = code->kind == V8_CODE_MAGLEV;
    int *chosen = &codes->safepoint_form[maglev];
    for (int form = 0; form < V8_SAFEPOINT_FORMS; form++) {
        if (*chosen >= 0 && form != *chosen) continue;
        if ((form == V8_SAFEPOINT_MAGLEV || form == V8_SAFEPOINT_MAGLEV_SLOTS) != maglev) {
            /* V8 9's TURBOPROP has Maglev's place and Turbofan's table. */
            if (!maglev || form != V8_SAFEPOINT_FIXED) continue;
        }
        int32_t index;
        if (!v8_decode_safepoint((enum v8_safepoint_form)form, bytes, code->metadata_size, code->size,
                                 pc_offset, &index))
            continue;
        if (index < 0) return false; /* no choice is remembered for a table that proves nothing */
        *chosen = form;
        *ret = index;
        return true;
    }
    return false;
}

int v8_codes_safepoint_form(const struct v8_codes *codes, bool maglev) {
    return codes->safepoint_form[maglev];
}

size_t v8_codes_blob_count(const struct v8_codes *codes) {
    return codes->blobs.count;
}

bool v8_codes_blob(const struct v8_codes *codes, size_t index, pm_addr *start_ret, pm_addr *end_ret,
                   const char **evidence_ret) {
    if (index >= codes->blobs.count) return false;
    *start_ret = codes->blobs.items[index].start;
    *end_ret = codes->blobs.items[index].end;
    *evidence_ret = codes->blobs.items[index].evidence;
    return true;
}

/* ---- life ---- */

struct v8_codes *v8_codes_create(const struct v8 *v8) {
    struct v8_codes *codes = calloc(1, sizeof(*codes));
    if (!codes) return NULL;
    codes->v8 = v8;
    codes->safepoint_form[0] = codes->safepoint_form[1] = -1;
    find_blobs(codes);
    struct v8_builtin builtin;
    for (size_t i = 0; i < codes->blobs.count && !codes->has_names; i++)
        codes->has_names =
            v8_codes_builtin(codes, codes->blobs.items[i].start + 64, true, &builtin) && builtin.name;

    bool separate = v8->layout.stream_code.present;
    codes->stream_type = separate ? V8_T_INSTRUCTION_STREAM : V8_T_CODE;
    pm_addr map = v8_root(v8, separate ? "instruction_stream_map" : "code_map");
    codes->stream_map = map ? v8_tag(map) : 0;

    int64_t value;
    codes->kind_mask = v8_facts_constant(v8->facts, "CodeKindFieldMask", &value) && value > 0 ? value : 15;
    codes->kind_baseline = v8_facts_constant(v8->facts, "CodeKindBaseline", &value) ? value : -1;
    if (codes->kind_baseline < 0 && !separate) codes->kind_baseline = 11; /* V8 9.4 and 10.2 */

    pm_addr sizes;
    uint64_t length;
    static const char symbol[] = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE";
    if (v8_facts_symbol(v8->facts, symbol, &sizes, &length) && length % 3 == 0 &&
        length / 3 <= BYTECODE_MAX_COUNT) {
        codes->bytecode_sizes = pm_mem_view(v8->mem, sizes, length);
        if (!codes->bytecode_sizes) codes->bytecode_sizes = v8_facts_code(v8->facts, symbol, &length);
        codes->bytecode_count = (uint32_t)(length / 3);
    }
    return codes;
}

void v8_codes_destroy(struct v8_codes *codes) {
    if (!codes) return;
    pm_vec_deinit(&codes->blobs);
    free(codes);
}
