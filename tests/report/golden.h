/* golden.h - whole outputs against tests/report/golden/NAME. POSTMORTEM_UPDATE_GOLDEN=1 writes them anew;
 * read the difference before you commit it. */
#ifndef PM_TESTS_GOLDEN_H
#define PM_TESTS_GOLDEN_H

/* Frees `text`. */
void assert_golden(const char *name, char *text);

#endif
