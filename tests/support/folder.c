/* A temporary folder for tests; see folder.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

static char folder[64], path[512];

const char *in_folder(const char *name) {
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

void write_file(const char *name, const void *bytes, size_t n) {
  FILE *f = fopen(in_folder(name), "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

uint8_t *read_file(const char *name, size_t *n) {
  struct stat st;
  FILE *f = fopen(in_folder(name), "rb");
  assert_non_null(f);
  assert_int_equal(fstat(fileno(f), &st), 0);
  *n = (size_t)st.st_size;
  uint8_t *bytes = malloc(*n + 1);
  assert_int_equal(fread(bytes, 1, *n, f), *n);
  fclose(f);
  return bytes;
}

int files_in_folder(void) {
  int n = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *e; (e = readdir(dir));) n += e->d_name[0] != '.';
  closedir(dir);
  return n;
}

int folder_make(void **state) {
  (void)state;
  strcpy(folder, "/tmp/weft-io-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

int folder_remove(void **state) {
  (void)state;
  DIR *dir = opendir(folder);
  for (struct dirent *e; (e = readdir(dir));)
    if (e->d_name[0] != '.') unlink(in_folder(e->d_name));
  closedir(dir);
  return rmdir(folder);
}

void expect_error(weft_status status, const weft_err *err, const char *what) {
  assert_int_not_equal(status, WEFT_OK);
  if (!strstr(err->text, folder) || !strstr(err->text, what))
    fail_msg("'%s' lacks '%s' or '%s'", err->text, folder, what);
}

const char *folder_path(void) {
  return folder;
}
