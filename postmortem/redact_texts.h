/* redact_texts.h - THE list of all texts of a diagnosis, and what kind of text each is. What is not in it is
 * not redacted: a test (tests/rules/check-redaction) compares it with the headers in model/.
 *
 * TO ADD A TEXT to the model: its line in redact_texts.c, with the kind that fits. When in doubt
 * PM_TEXT_SENTENCE. */
#ifndef PM_REDACT_TEXTS_H
#define PM_REDACT_TEXTS_H

#include "postmortem/model/diagnosis.h"

enum pm_text_kind {
    PM_TEXT_OURS,        /* a word of ours, whatever the input was: never touched */
    PM_TEXT_VERSION,     /* a version or a number as text: looks like an address without being one */
    PM_TEXT_CODE,        /* a name in code: function, class, symbol */
    PM_TEXT_PATH,        /* of a file, or a URL */
    PM_TEXT_SENTENCE,    /* ours, with names and values in it; content of strings stands in quotes there */
    PM_TEXT_LABEL,       /* one line about a value of the heap */
    PM_TEXT_REFERENCE,   /* what one object calls another: a name in code, or data used as a key */
    PM_TEXT_HEAP,        /* nothing but the content of a string of the heap */
    PM_TEXT_MESSAGE,     /* the same from a report, a log, a pod: words of the program */
    PM_TEXT_STACK_LINE,  /* a line of an error's stack, which may be one of its message */
    PM_TEXT_PHRASE,      /* plain words of V8's: anything else does not belong there */
    PM_TEXT_HOST,        /* who and where: host, address, MAC */
    PM_TEXT_WORDS,       /* a command line in one text */
    PM_TEXT_ARGUMENTS,   /* a command line: the texts belong together */
    PM_TEXT_ENVIRONMENT, /* the value of a variable; `key` is its name */
    PM_TEXT_PROPERTY,    /* the value of a property of an error; `key` is its name */
    PM_TEXT_FIELD,       /* the value of a field of an object, as a label; `key` is the field's name */
    PM_TEXT_NEVER_SHOWN, /* no writer prints it; it tells what is secret elsewhere (`key` as above) */
};

/* `count` texts; more than one only of PM_TEXT_ARGUMENTS. Texts may be NULL. */
typedef void pm_text_visit(void *context, enum pm_text_kind kind, const char **texts, size_t count,
                           const char *key);

void pm_diagnosis_texts(struct pm_diagnosis *diagnosis, pm_text_visit *visit, void *context);

#endif
