/* Folders of golden outputs. */
#include "golden.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *golden_path(const char *format, ...) {
  static char buffer[8][1024];
  static unsigned turn;
  char *path = buffer[turn++ % 8];
  const char *data = getenv("WEFT_TEST_DATA");
  int n = snprintf(path, sizeof buffer[0], "%s/", data && *data ? data : "../shared");
  va_list ap;
  va_start(ap, format);
  vsnprintf(path + n, sizeof buffer[0] - (size_t)n, format, ap);
  va_end(ap);
  return path;
}

bool golden_exists(const char *path) {
  return access(path, R_OK) == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

int golden_list(const char *folder, const char *suffix, char ***names) {
  DIR *dir = opendir(folder);
  if (!dir) return -1;
  char **list = NULL;
  int n = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    size_t length = strlen(entry->d_name), tail = strlen(suffix);
    if (entry->d_name[0] == '.' || length < tail) continue;
    if (strcmp(entry->d_name + length - tail, suffix) != 0) continue;
    char **more = realloc(list, (size_t)(n + 1) * sizeof *list);
    if (!more) abort();
    list = more;
    list[n++] = strdup(entry->d_name);
  }
  closedir(dir);
  if (n) qsort(list, (size_t)n, sizeof *list, by_name);
  *names = list;
  return n;
}

void golden_list_free(int n, char **names) {
  for (int i = 0; i < n; i++) free(names[i]);
  free(names);
}

void *golden_read(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  char *bytes = NULL;
  size_t size = 0, got;
  char chunk[65536];
  while ((got = fread(chunk, 1, sizeof chunk, f)) > 0) {
    char *more = realloc(bytes, size + got);
    if (!more) abort();
    bytes = more;
    memcpy(bytes + size, chunk, got);
    size += got;
  }
  fclose(f);
  if (n) *n = size;
  return bytes;
}
