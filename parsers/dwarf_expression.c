/* dwarf_expression.c - the stack machine of DWARF expressions, as far as rules of call frames use it.
 * libdwarf only lists the operations of an expression; running them needs the process, so that is done here.
 */
#include <dwarf.h>
#include <string.h>

#include "parsers/dwarf_cfi.h"
#include "parsers/leb128.h"

#define MAX_EXPRESSION_OPS 4096 /* executed; glibc's longest needs 12 */
#define EXPRESSION_STACK   64

struct machine {
    struct pm_cursor c;
    const struct pm_regs *regs;
    const struct pm_mem *mem;
    uint64_t bias;
    const uint64_t *cfa;
    uint64_t stack[EXPRESSION_STACK];
    unsigned depth;
    bool failed;
};

static void push(struct machine *m, uint64_t value) {
    if (m->depth >= EXPRESSION_STACK)
        m->failed = true;
    else
        m->stack[m->depth++] = value;
}
static uint64_t pop(struct machine *m) {
    if (m->depth == 0) {
        m->failed = true;
        return 0;
    }
    return m->stack[--m->depth];
}
static void pick(struct machine *m, unsigned below) {
    if (below >= m->depth)
        m->failed = true;
    else
        push(m, m->stack[m->depth - 1 - below]);
}
static void push_register(struct machine *m, uint64_t number, int64_t offset) {
    if (number >= PM_REG_COUNT || !(m->regs->valid >> number & 1))
        m->failed = true;
    else
        push(m, m->regs->value[number] + (uint64_t)offset);
}
static void push_memory(struct machine *m, unsigned size) {
    uint64_t addr = pop(m), value = 0;
    if (m->failed || size == 0 || size > 8 || !m->mem || !pm_mem_copy(m->mem, addr, &value, size))
        m->failed = true;
    else
        push(m, value); /* both machines are little-endian, as we are */
}
static void jump(struct machine *m, bool taken) {
    int64_t offset = (int16_t)pm_cursor_u16(&m->c);
    if (!taken || m->c.failed) return;
    pm_cursor_seek(&m->c, m->c.position + (uint64_t)offset); /* before the start wraps behind the end */
}

static void binary(struct machine *m, uint8_t op) {
    uint64_t b = pop(m), a = pop(m), value = 0;
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    switch (op) {
    case DW_OP_and: value = a & b; break;
    case DW_OP_or: value = a | b; break;
    case DW_OP_xor: value = a ^ b; break;
    case DW_OP_plus: value = a + b; break;
    case DW_OP_minus: value = a - b; break;
    case DW_OP_mul: value = a * b; break;
    case DW_OP_div:
        if (b == 0)
            m->failed = true;
        else
            value = sb == -1 ? 0 - a : (uint64_t)(sa / sb);
        break;
    case DW_OP_mod:
        if (b == 0)
            m->failed = true;
        else
            value = a % b;
        break;
    case DW_OP_shl: value = b < 64 ? a << b : 0; break;
    case DW_OP_shr: value = b < 64 ? a >> b : 0; break;
    case DW_OP_shra: value = (uint64_t)(sa >> (b < 64 ? b : 63)); break;
    case DW_OP_eq: value = sa == sb; break;
    case DW_OP_ne: value = sa != sb; break;
    case DW_OP_lt: value = sa < sb; break;
    case DW_OP_le: value = sa <= sb; break;
    case DW_OP_gt: value = sa > sb; break;
    case DW_OP_ge: value = sa >= sb; break;
    default: m->failed = true;
    }
    push(m, value);
}

static void step_constant(struct machine *m, uint8_t op) {
    struct pm_cursor *c = &m->c;
    switch (op) {
    case DW_OP_addr: push(m, pm_cursor_u64(c) + m->bias); break;
    case DW_OP_const1u: push(m, pm_cursor_u8(c)); break;
    case DW_OP_const1s: push(m, (uint64_t)(int8_t)pm_cursor_u8(c)); break;
    case DW_OP_const2u: push(m, pm_cursor_u16(c)); break;
    case DW_OP_const2s: push(m, (uint64_t)(int16_t)pm_cursor_u16(c)); break;
    case DW_OP_const4u: push(m, pm_cursor_u32(c)); break;
    case DW_OP_const4s: push(m, (uint64_t)(int32_t)pm_cursor_u32(c)); break;
    case DW_OP_const8u:
    case DW_OP_const8s: push(m, pm_cursor_u64(c)); break;
    case DW_OP_constu: push(m, pm_cursor_uleb(c)); break;
    case DW_OP_consts: push(m, (uint64_t)pm_cursor_sleb(c)); break;
    default: m->failed = true;
    }
}

static void step_stack(struct machine *m, uint8_t op) {
    uint64_t a, b, c;
    switch (op) {
    case DW_OP_dup: pick(m, 0); break;
    case DW_OP_drop: pop(m); break;
    case DW_OP_over: pick(m, 1); break;
    case DW_OP_pick: pick(m, pm_cursor_u8(&m->c)); break;
    case DW_OP_swap:
        a = pop(m);
        b = pop(m);
        push(m, a);
        push(m, b);
        break;
    default: /* DW_OP_rot */
        a = pop(m);
        b = pop(m);
        c = pop(m);
        push(m, a);
        push(m, c);
        push(m, b);
    }
}

static void step_expression(struct machine *m) {
    uint8_t op = pm_cursor_u8(&m->c);
    uint64_t value;
    if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
        push(m, op - DW_OP_lit0);
        return;
    }
    if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
        push_register(m, op - DW_OP_breg0, pm_cursor_sleb(&m->c));
        return;
    }
    switch (op) {
    case DW_OP_nop: break;
    case DW_OP_bregx:
        value = pm_cursor_uleb(&m->c);
        push_register(m, value, pm_cursor_sleb(&m->c));
        break;
    case DW_OP_deref: push_memory(m, 8); break;
    case DW_OP_deref_size: push_memory(m, pm_cursor_u8(&m->c)); break;
    case DW_OP_plus_uconst:
        value = pop(m);
        push(m, value + pm_cursor_uleb(&m->c));
        break;
    case DW_OP_abs:
        value = pop(m);
        push(m, (int64_t)value < 0 ? 0 - value : value);
        break;
    case DW_OP_neg: push(m, 0 - pop(m)); break;
    case DW_OP_not: push(m, ~pop(m)); break;
    case DW_OP_skip: jump(m, true); break;
    case DW_OP_bra: jump(m, pop(m) != 0); break;
    case DW_OP_call_frame_cfa:
        if (m->cfa)
            push(m, *m->cfa);
        else
            m->failed = true;
        break;
    case DW_OP_dup:
    case DW_OP_drop:
    case DW_OP_over:
    case DW_OP_pick:
    case DW_OP_swap:
    case DW_OP_rot: step_stack(m, op); break;
    case DW_OP_and:
    case DW_OP_or:
    case DW_OP_xor:
    case DW_OP_plus:
    case DW_OP_minus:
    case DW_OP_mul:
    case DW_OP_div:
    case DW_OP_mod:
    case DW_OP_shl:
    case DW_OP_shr:
    case DW_OP_shra:
    case DW_OP_eq:
    case DW_OP_ne:
    case DW_OP_lt:
    case DW_OP_le:
    case DW_OP_gt:
    case DW_OP_ge: binary(m, op); break;
    default: step_constant(m, op);
    }
}

bool pm_cfi_evaluate(const uint8_t *block, uint64_t length, const struct pm_regs *regs,
                     const struct pm_mem *mem, uint64_t bias, const uint64_t *cfa, uint64_t *ret) {
    struct machine m = {.regs = regs, .mem = mem, .bias = bias, .cfa = cfa};
    m.c = pm_cursor_make(block, length, 0);
    if (cfa) push(&m, *cfa);
    for (unsigned done = 0; pm_cursor_left(&m.c) > 0; done++) {
        if (done >= MAX_EXPRESSION_OPS) return false;
        step_expression(&m);
        if (m.failed || m.c.failed) return false;
    }
    if (m.depth == 0) return false;
    *ret = m.stack[m.depth - 1];
    return true;
}
