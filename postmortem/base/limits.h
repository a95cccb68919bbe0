/* limits.h - every limit of the program, with its reason. A limit that bites is announced in the coverage. */
#ifndef PM_BASE_LIMITS_H
#define PM_BASE_LIMITS_H

#define PM_MAX_THREADS       65536   /* more threads than a Linux pid namespace usually allows */
#define PM_MAX_FRAMES        20000   /* V8's stack of 984 KB holds at most about 12,000 JavaScript frames */
#define PM_MAX_SEGMENTS      4000000 /* vm.max_map_count is 65,530 by default, raised to 1-4 million by some */
#define PM_MAX_MODULES       4096    /* ELF files in one process */
#define PM_MAX_STRING_UNITS  (1u << 29) /* V8's own String::kMaxLength on 64 bit (2^29 - 24) */
#define PM_MAX_STRING_DEPTH  100000     /* cons strings: nodes visited for one text, so that cycles end */
#define PM_MAX_PROTOTYPES    100  /* prototype chains: objects visited for one name; a leak may chain 10^5 */
#define PM_MAX_BACK_POINTERS 1100 /* maps of one transition chain: V8's kMaxNumberOfDescriptors is 1020 */
#define PM_MAX_ISOLATES      4096 /* one per worker thread */
#define PM_MAX_NAME          256  /* code points shown of a class, function or property name */
#define PM_MAX_PATH          4096 /* code points kept of a script's URL: PATH_MAX of Linux */
#define PM_MAX_UV_HANDLES    1000000    /* of one event loop: as many as there can be file descriptors */
#define PM_MAX_LONG_TASKS    100        /* turns of the event loop kept of a CPU profile, the longest ones */
#define PM_MAX_NOTE_BYTES    (1u << 28) /* notes of one core: 65,536 threads times about 3 KB */
#define PM_MAX_DECOMPRESSED  (1ull << 40) /* 1 TB: a compressed core that unpacks to more is a bomb */

/* A JSON document that is read as a tree: reports have 10 KB to some MB, a handle in one takes 500 bytes and
 * 18 values. */
#define PM_MAX_JSON_BYTES  (128u << 20)
#define PM_MAX_JSON_VALUES (4u << 20) /* of 64 bytes and a text each */
#define PM_MAX_JSON_DEPTH  128        /* cJSON calls itself for each level; a report has 6 */

#endif
