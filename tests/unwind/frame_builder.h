/* frame_builder.h - .eh_frame and .debug_frame made by hand, record by record.
 *
 *     struct frames f = {.vaddr = 0x2000};
 *     size_t cie = frames_cie(&f, "zR", 1, -8, 16, "\x1b", 1, code, sizeof(code));
 *     frames_fde(&f, cie, 0x1000, 0x40, more, sizeof(more));
 *     frames_end(&f);
 *
 * FDEs store their addresses as the CIE's augmentation says: none and DW_EH_PE_absptr, or pcrel | sdata4. */
#ifndef PM_TESTS_FRAME_BUILDER_H
#define PM_TESTS_FRAME_BUILDER_H

#include "tests/support/bytes.h"

struct frames {
    struct bytes out;
    uint64_t vaddr; /* of the section */
    bool debug;     /* .debug_frame: other ids */
    bool pcrel;     /* set by frames_cie() */
    bool augmented;
};

static inline void frames_u8(struct frames *f, unsigned value) {
    uint8_t byte = (uint8_t)value;
    bytes_add(&f->out, &byte, 1);
}
static inline void frames_u32(struct frames *f, uint64_t value) {
    uint32_t word = (uint32_t)value;
    bytes_add(&f->out, &word, 4);
}
static inline void frames_u64(struct frames *f, uint64_t value) {
    bytes_add(&f->out, &value, 8);
}
static inline void frames_leb(struct frames *f, int64_t value, bool is_signed) {
    for (bool last = false; !last;) {
        uint8_t byte = value & 0x7f;
        value = is_signed ? value >> 7 : (int64_t)((uint64_t)value >> 7);
        last = is_signed ? (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)) : value == 0;
        frames_u8(f, byte | (last ? 0u : 0x80u));
    }
}
static inline void frames_close(struct frames *f, size_t start) {
    bytes_align(&f->out, 8);
    uint32_t length = (uint32_t)(f->out.size - start - 4);
    bytes_put(&f->out, start, &length, 4);
}

/* data: what the augmentation's letters mean, in their order. Returns the record's offset. */
static inline size_t frames_cie_version(struct frames *f, unsigned version, const char *augmentation,
                                        uint64_t code_align, int64_t data_align, unsigned return_address,
                                        const void *data, size_t data_size, const void *code,
                                        size_t code_size) {
    size_t start = f->out.size;
    frames_u32(f, 0);
    frames_u32(f, f->debug ? 0xffffffff : 0);
    frames_u8(f, version);
    bytes_add(&f->out, augmentation, strlen(augmentation) + 1);
    if (version == 4) {
        frames_u8(f, 8);
        frames_u8(f, 0);
    }
    frames_leb(f, (int64_t)code_align, false);
    frames_leb(f, data_align, true);
    if (version == 1)
        frames_u8(f, return_address);
    else
        frames_leb(f, return_address, false);
    f->augmented = augmentation[0] == 'z';
    f->pcrel = data_size && memchr(data, 0x1b, data_size);
    if (f->augmented) {
        frames_leb(f, (int64_t)data_size, false);
        bytes_add(&f->out, data, data_size);
    }
    bytes_add(&f->out, code, code_size);
    frames_close(f, start);
    return start;
}
static inline size_t frames_cie(struct frames *f, const char *augmentation, uint64_t code_align,
                                int64_t data_align, unsigned return_address, const void *data,
                                size_t data_size, const void *code, size_t code_size) {
    return frames_cie_version(f, 1, augmentation, code_align, data_align, return_address, data, data_size,
                              code, code_size);
}
static inline size_t frames_fde(struct frames *f, size_t cie, uint64_t start_pc, uint64_t range,
                                const void *code, size_t code_size) {
    size_t start = f->out.size;
    frames_u32(f, 0);
    frames_u32(f, f->debug ? cie : f->out.size - cie);
    if (f->pcrel) {
        frames_u32(f, start_pc - (f->vaddr + f->out.size));
        frames_u32(f, range);
    } else {
        frames_u64(f, start_pc);
        frames_u64(f, range);
    }
    if (f->augmented) frames_u8(f, 0);
    bytes_add(&f->out, code, code_size);
    frames_close(f, start);
    return start;
}
static inline void frames_end(struct frames *f) {
    frames_u32(f, 0);
}

/* .eh_frame_hdr as linkers write it: pcrel | sdata4, udata4, datarel | sdata4; pairs in the order given. */
static inline void frames_table(struct bytes *out, uint64_t vaddr, uint64_t frames_vaddr,
                                const uint64_t *pairs, size_t count) {
    static const uint8_t encodings[4] = {1, 0x1b, 0x03, 0x3b};
    bytes_add(out, encodings, 4);
    uint32_t word = (uint32_t)(frames_vaddr - (vaddr + 4));
    bytes_add(out, &word, 4);
    word = (uint32_t)count;
    bytes_add(out, &word, 4);
    for (size_t i = 0; i < 2 * count; i++) {
        word = (uint32_t)(pairs[i] - vaddr);
        bytes_add(out, &word, 4);
    }
}

#endif
