/* Output files that appear whole or not at all: written beside their place, then renamed. */
#ifndef WEFT_OUTFILE_H
#define WEFT_OUTFILE_H

#include <stdio.h>

#include "err.h"

typedef struct {
  FILE *f;          /* write here */
  const char *path; /* borrowed until the close */
  char place[4096]; /* `path`, symbolic links followed */
  char temp[4104];  /* "" when `path` is a pipe or a device, which is written directly */
} weft_outfile;

/* Opens for writing. On error nothing exists that did not exist before; the text names `path`. */
weft_status weft_outfile_open(weft_outfile *o, const char *path, weft_err *err);
/* Closes and renames into place. On error (disk full, ...) the old file, if any, is still there and
 * the temporary one is gone. */
weft_status weft_outfile_close(weft_outfile *o, weft_err *err);
/* Gives up: closes and removes what was written. */
void weft_outfile_abandon(weft_outfile *o);

/* Writes a jansson value (2 spaces, keys in order) and a newline to `path`, whole or not at all;
 * "-": to standard output. Takes the value over; NULL counts as out of memory. */
struct json_t;
weft_status weft_json_save(struct json_t *value, const char *path, weft_err *err);

#endif
