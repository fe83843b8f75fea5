/* Errors are values with text.
 *
 * Every function of Weft that can fail on outside input (a model, a configuration, an image, a
 * program, a device) returns 0 on success and a `weft_status` otherwise, and writes one clear line
 * into the caller's `weft_err`: which file, tensor or key, what was found, what is accepted.
 * Nothing is half-done on error: out-parameters are untouched unless their documentation says so.
 */
#ifndef WEFT_ERR_H
#define WEFT_ERR_H

#include <stdarg.h>
#include <stdio.h>

typedef enum {
  WEFT_OK = 0,
  WEFT_EINPUT,    /* bad input: model, configuration, image, program, command line */
  WEFT_EUNSUPP,   /* well-formed, but something that Weft does not support */
  WEFT_EDEVICE,   /* the device stopped with an error (illegal encoding, window, AXI, watchdog) */
  WEFT_ETIMEOUT,  /* the device did not finish in the given number of cycles */
  WEFT_ENOMEM,    /* host memory exhausted */
  WEFT_EINTERNAL, /* an invariant of Weft itself failed */
} weft_status;

/* The text of the last error; `text` is always NUL-terminated, never contains a newline. */
typedef struct {
  char text[512];
} weft_err;

/* Formats `fmt` into `err` (which may be NULL) and returns `status`. */
static inline weft_status weft_fail(weft_err *err, weft_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static inline weft_status weft_fail(weft_err *err, weft_status status, const char *fmt, ...) {
  if (err) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    for (char *c = err->text; *c; c++) /* names come from files: keep the message one line */
      if ((unsigned char)*c < ' ') *c = '?';
  }
  return status;
}

#endif
