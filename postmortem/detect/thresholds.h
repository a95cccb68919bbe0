/* thresholds.h - every number that decides whether something is told, with where it comes from. */
#ifndef PM_DETECT_THRESHOLDS_H
#define PM_DETECT_THRESHOLDS_H

/* ---- what is a suspect (Eclipse MAT, LeakHunterQuery) ---- */
#define PM_SUSPECT_SHARE 0.10 /* of the heap: threshold_percent */
#define PM_DROP_RATIO    0.70 /* child / parent: big_drop_ratio */
#define PM_GROUP_RATIO                                                                                       \
    0.50 /* of the members that one container has. MAT follows 0.8 of the paths; members of                  \
            caches are often held twice, by key and by time */
#define PM_GROUP_LEAST  20 /* members of a group: fewer are no accumulation */
#define PM_MAX_SUSPECTS 6  /* findings about memory: more do not help at 3 a.m. */

#define PM_NODES_OWN_BYTES                                                                                   \
    8000000 /* what Node's own modules have at most, without a name of the program's                         \
             */

/* ---- limits of the search (time) ---- */
#define PM_CENSUS_LIMIT   1000000 /* objects that are looked at for one suspect */
#define PM_MEMBER_SAMPLE  200     /* members whose referrers are looked at (MAT: 10,000 paths) */
#define PM_OWNER_VISITS   3000    /* objects that one search for an owner looks at */
#define PM_REFERRER_LIMIT 600     /* referrers of one object: one with more has no single owner anyway */
#define PM_ALIKE_LIMIT    8       /* of these, that are of the same class or scopes of the same function */
#define PM_OWN_NAME_STEPS 4  /* names of packages that may stand between the program's name and the object */
#define PM_VARIABLE_LIMIT 16 /* variables whose declarations are compared */
#define PM_CLOSURE_LIMIT  60000 /* closures that are asked for their file */
#define PM_KEY_SAMPLE     2000  /* keys that are looked at */

/* ---- chains ---- */
#define PM_CHAIN_STEPS 200  /* dominators in a row that lose next to nothing */
#define PM_CHAIN_RATIO 0.99 /* what a link keeps of the one before */

/* ---- kinds ---- */
#define PM_OWN_CLASS_PART                                                                                    \
    10 /* the program's own class is named when others are at most so many times as many */
#define PM_DICTIONARY         200  /* an object with more properties is used as a dictionary */
#define PM_EXTERNAL_PART      0.5  /* outside the heap: then it is about buffers */
#define PM_PROMISE_PART       0.05 /* of the objects are promises: ten objects to a waiting call are usual */
#define PM_PROMISE_LEAST      500
#define PM_WAITING_PART       0.5  /* of the bytes below suspended functions */
#define PM_SLICED_LEAST       100  /* sliced strings */
#define PM_SLICED_PART        0.5  /* of the bytes in strings */
#define PM_ERROR_PART         0.3  /* of the bytes below Error objects (memlab: 500 Errors are a warning) */
#define PM_DUPLICATE_COPIES   100  /* memlab interning: 100 copies and 100 KB */
#define PM_DUPLICATE_PART     0.5  /* of the suspect's bytes are copies, to be what it is about */
#define PM_DUPLICATE_TELL     0.2  /* to be told beside */
#define PM_CONTEXTS_LEAST     8    /* native contexts beside the main one: a test runner has some */
#define PM_SOCKETS_LEAST      200  /* memlab: 1,000 TCP sockets */
#define PM_LISTENERS_LEAST    50   /* memlab: listeners of one host */
#define PM_LISTENERS_STRIKING 110  /* ten times what Node.js warns at (defaultMaxListeners) */
#define PM_LISTS_LOOKED_AT    24   /* the longest arrays */
#define PM_COPIES_LEAST       1000 /* of one text */
#define PM_COPIES_SURE        10   /* of them in the sample */
#define PM_COPIES_BYTES       1000000
#define PM_COPIES_SHARE       0.05 /* MAT: waste of a twentieth is told */
#define PM_TIMERS_LEAST       100
#define PM_IN_FLIGHT_LEAST    100   /* suspended calls: work in flight, no single job */
#define PM_BURST_MS           60000 /* timers of at most a minute that functions wait for: work in flight */
#define PM_WASTE_FILL         0.21  /* MAT: fill ratio below is waste */
#define PM_WASTE_PART         0.6   /* of the suspect's bytes, to be what it is about */
#define PM_CLOSURE_PART       0.5   /* of the members are functions */
#define PM_HUGE_PART          0.5   /* of the suspect are the bytes of one object */

/* ---- growth signs (memlab growth_signals) ---- */
#define PM_GROWTH_KEYS   200
#define PM_GROWTH_PART   0.9    /* of the keys fit */
#define PM_TIME_LEAST_MS 1.0e12 /* 2001 */
#define PM_TIME_MOST_MS  4.1e12 /* 2099 */

/* ---- severity and confidence ---- */
#define PM_CRITICAL_SHARE 0.50 /* and the process died of it */
#define PM_HIGH_SHARE     0.30
#define PM_SOLID_SHARE    0.30     /* confidence high needs it, a name and a place */
#define PM_SMALL_BYTES    4000000  /* nobody's incident, when the process did not run out of memory */
#define PM_ORDINARY_BYTES 32000000 /* a usual server just started; a heap of less is nobody's question */
#define PM_VERDICT_SHARE  0.25     /* below, the verdict names no suspect */
#define PM_BAD_COVERAGE   0.02     /* of the heap not parsed: confidence goes down a step */

#endif
