/* Label files; the format is in labels.h. */
#include "labels.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_LABELS = 1 << 20, MAX_LINE = 4096 };

/* The text without blanks at either end. */
static char *trim(char *s) {
  while (isspace((unsigned char)*s)) s++;
  size_t n = strlen(s);
  while (n && isspace((unsigned char)s[n - 1])) n--;
  s[n] = 0;
  return s;
}

static weft_status read_lines(FILE *f, const char *path, weft_labels *labels, weft_err *err) {
  char line[MAX_LINE];
  int used = 0; /* lines up to the last one with text */
  for (int number = 1;; number++) {
    size_t n = 0;
    int c;
    while ((c = getc(f)) != EOF && c != '\n') {
      if (c == 0) return weft_fail(err, WEFT_EINPUT, "%s: line %d has a NUL byte", path, number);
      if (n == MAX_LINE - 1)
        return weft_fail(err, WEFT_EINPUT, "%s: line %d is longer than %d bytes", path, number,
                         MAX_LINE - 1);
      line[n++] = (char)c;
    }
    if (c == EOF && n == 0) break;
    line[n] = 0;
    if (number > MAX_LABELS)
      return weft_fail(err, WEFT_EINPUT, "%s: more than %d labels", path, MAX_LABELS);
    if ((labels->n & (labels->n - 1)) == 0) { /* grow at powers of two */
      size_t room = labels->n ? (size_t)labels->n * 2 : 1;
      char **grown = realloc(labels->name, room * sizeof *grown);
      if (!grown) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
      labels->name = grown;
    }
    char *text = line;
    if (number == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) text += 3;
    char *name = strdup(trim(text));
    if (!name) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
    labels->name[labels->n++] = name;
    if (*name) used = labels->n;
  }
  if (ferror(f)) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  if (used == 0) return weft_fail(err, WEFT_EINPUT, "%s: holds no label", path);
  while (labels->n > used) free(labels->name[--labels->n]);
  return WEFT_OK;
}

weft_status weft_labels_load(const char *path, weft_labels *out, weft_err *err) {
  struct stat st;
  FILE *f = fopen(path, "r");
  if (!f) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  weft_labels labels = {0};
  weft_status status;
  if (fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode))
    status = weft_fail(err, WEFT_EINPUT, "%s: not a file", path);
  else
    status = read_lines(f, path, &labels, err);
  fclose(f);
  if (status)
    weft_labels_free(&labels);
  else
    *out = labels;
  return status;
}

void weft_labels_free(weft_labels *labels) {
  for (int i = 0; i < labels->n; i++) free(labels->name[i]);
  free(labels->name);
  *labels = (weft_labels){0};
}

const char *weft_label(const weft_labels *labels, int i) {
  return i >= 0 && i < labels->n ? labels->name[i] : "";
}
