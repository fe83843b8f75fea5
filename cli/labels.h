/* Names of a classifier's classes: a text file with one name per line, first line = class 0.
 *
 * Blanks around a name and a byte-order mark are dropped, CR LF is accepted, blank lines at the end
 * are ignored; a blank line between names is a class without a name. */
#ifndef WEFT_LABELS_H
#define WEFT_LABELS_H

#include "err.h"

typedef struct {
  int n;
  char **name; /* n strings */
} weft_labels;

/* Reads `path`; the caller frees with weft_labels_free(). Refused: no name at all, more than 2^20
 * lines, a line of more than 4,095 bytes, a NUL byte. */
weft_status weft_labels_load(const char *path, weft_labels *out, weft_err *err);
void weft_labels_free(weft_labels *labels);

/* The name of class `i`, "" if there is none. */
const char *weft_label(const weft_labels *labels, int i);

#endif
