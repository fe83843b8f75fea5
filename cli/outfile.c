/* Temporary file and rename; see outfile.h. */
#include "outfile.h"

#include <jansson.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static weft_status failed(weft_outfile *o, const char *what, int code, weft_err *err) {
  return weft_fail(err, WEFT_EINPUT, "%s: cannot %s: %s", o->path, what, strerror(code));
}

weft_status weft_outfile_open(weft_outfile *o, const char *path, weft_err *err) {
  struct stat st;
  o->path = path;
  o->temp[0] = 0;
  o->f = NULL;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* /dev/stdout must stay what it is */
    if (S_ISDIR(st.st_mode)) return failed(o, "create", EISDIR, err);
    o->f = fopen(path, "wb");
    return o->f ? WEFT_OK : failed(o, "open", errno, err);
  }
  if (strlen(path) >= sizeof o->place)
    return weft_fail(err, WEFT_EINPUT, "%.64s...: path too long", path);
  char *real = realpath(path, NULL); /* a link stays one; NULL: no such file yet */
  (void)snprintf(o->place, sizeof o->place, "%.4095s", real ? real : path);
  free(real);
  (void)snprintf(o->temp, sizeof o->temp, "%s.XXXXXX", o->place);
  int fd = mkstemp(o->temp);
  if (fd < 0) return failed(o, "create", errno, err);
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd, 0666 & ~mask) == 0) o->f = fdopen(fd, "wb");
  if (o->f) return WEFT_OK;
  int code = errno;
  close(fd);
  unlink(o->temp);
  return failed(o, "create", code, err);
}

weft_status weft_outfile_close(weft_outfile *o, weft_err *err) {
  bool good = !ferror(o->f);
  errno = 0;
  good = fclose(o->f) == 0 && good;
  o->f = NULL;
  if (good && o->temp[0]) good = rename(o->temp, o->place) == 0;
  if (good) return WEFT_OK;
  int code = errno ? errno : EIO;
  if (o->temp[0]) unlink(o->temp);
  return failed(o, "write", code, err);
}

void weft_outfile_abandon(weft_outfile *o) {
  if (!o->f) return;
  fclose(o->f);
  if (o->temp[0]) unlink(o->temp);
  o->f = NULL;
}

weft_status weft_json_save(struct json_t *value, const char *path, weft_err *err) {
  if (!value) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
  const size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9);
  weft_outfile o = {.f = stdout};
  const bool file = strcmp(path, "-") != 0;
  weft_status status = file ? weft_outfile_open(&o, path, err) : WEFT_OK;
  if (!status) {
    const bool good = json_dumpf(value, o.f, flags) == 0 && fputc('\n', o.f) != EOF;
    if (!good)
      status = weft_fail(err, WEFT_EINPUT, "%s: cannot write", file ? path : "standard output");
    if (file && good) status = weft_outfile_close(&o, err);
    if (file && !good) weft_outfile_abandon(&o);
  }
  json_decref(value);
  return status;
}
