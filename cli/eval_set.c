/* The images of `weft eval`: folders of classes. Start at eval_set_find. */
#include "eval.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "labels.h"

enum { MAX_PATH = 4096 };

/* --- sorted folder listings ------------------------------------------------------------------- */
typedef struct {
  size_t n, room;
  char **name;
} listing;

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_listing(listing *l) {
  for (size_t i = 0; i < l->n; i++) free(l->name[i]);
  free(l->name);
}

static bool add_name(listing *l, const char *name) {
  if (l->n == l->room) {
    size_t room = l->room ? l->room * 2 : 64;
    char **grown = realloc(l->name, room * sizeof *grown);
    if (!grown) return false;
    l->name = grown;
    l->room = room;
  }
  l->name[l->n] = strdup(name);
  return l->name[l->n] && ++l->n;
}

static bool is_image(const char *name) {
  static const char *const ends[] = {".png", ".jpg", ".jpeg", ".bmp"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
    if (strcasecmp(dot, ends[i]) == 0) return true;
  return false;
}

/* Folders, or image files, in `dir`, sorted by bytes; names that begin with a dot are hidden. */
static weft_status list(const char *dir, bool folders, listing *out, weft_err *err) {
  DIR *d = opendir(dir);
  if (!d) return weft_fail(err, WEFT_EINPUT, "%s: %s", dir, strerror(errno));
  weft_status status = WEFT_OK;
  for (struct dirent *e; !status && (e = readdir(d));) {
    char path[MAX_PATH];
    struct stat st;
    if (e->d_name[0] == '.') continue;
    if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path)
      status = weft_fail(err, WEFT_EINPUT, "%.64s...: path too long", dir);
    else if (stat(path, &st) != 0)
      continue;
    else if (folders ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode) && is_image(e->d_name))
      if (!add_name(out, e->d_name)) status = weft_fail(err, WEFT_ENOMEM, "out of memory");
  }
  closedir(d);
  if (out->n) qsort(out->name, out->n, sizeof *out->name, by_name);
  return status;
}

/* --- classes ---------------------------------------------------------------------------------- */
static bool is_number(const char *s, uint64_t *v) {
  if (!*s || strlen(s) > 9 || s[strspn(s, "0123456789")]) return false;
  *v = strtoull(s, NULL, 10);
  return true;
}

/* The class index of every folder; `class` has room for all. */
static weft_status find_classes(const char *dir, const char *labels, uint64_t offset,
                                size_t outputs, const listing *folders, uint64_t *class,
                                weft_err *err) {
  weft_labels known = {0};
  if (labels) {
    weft_status status = weft_labels_load(labels, &known, err);
    if (status) return status;
  }
  weft_status status = WEFT_OK;
  bool numbers = true;
  for (size_t i = 0; i < folders->n; i++) numbers &= is_number(folders->name[i], &class[i]);
  if (!labels && !numbers) {
    for (size_t i = 0; i < folders->n; i++) class[i] = i;
    if (folders->n + offset != outputs)
      status = weft_fail(err, WEFT_EINPUT,
                         "%s: %zu class folders and offset %llu, but the model has %zu outputs; "
                         "give --labels, --offset, or folders named by output",
                         dir, folders->n, (unsigned long long)offset, outputs);
  }
  for (size_t i = 0; labels && !status && i < folders->n; i++) {
    int at = 0;
    while (at < known.n && strcmp(known.name[at], folders->name[i]) != 0) at++;
    if (at < known.n)
      class[i] = (uint64_t)at;
    else if (!is_number(folders->name[i], &class[i]))
      status = weft_fail(err, WEFT_EINPUT, "%s: class folder '%s' is not in %s", dir,
                         folders->name[i], labels);
  }
  for (size_t i = 0; !status && i < folders->n; i++)
    if (class[i] + offset >= outputs)
      status = weft_fail(err, WEFT_EINPUT,
                         "%s: class folder '%s' is output %llu, but the model has %zu outputs", dir,
                         folders->name[i], (unsigned long long)(class[i] + offset), outputs);
  if (labels) weft_labels_free(&known);
  return status;
}

static weft_status add_class(const char *dir, const char *folder, uint32_t output, eval_set *s,
                             size_t *room, weft_err *err) {
  char path[MAX_PATH];
  listing files = {0};
  (void)snprintf(path, sizeof path, "%s/%s", dir, folder); /* fitted when it was listed */
  weft_status status = list(path, false, &files, err);
  for (size_t i = 0; !status && i < files.n; i++) {
    if (s->n == *room) {
      *room = *room ? *room * 2 : 256;
      eval_image *grown = realloc(s->image, *room * sizeof *grown);
      if (!grown) {
        status = weft_fail(err, WEFT_ENOMEM, "out of memory");
        break;
      }
      s->image = grown;
    }
    char *name = NULL;
    if (asprintf(&name, "%s/%s", path, files.name[i]) < 0)
      status = weft_fail(err, WEFT_ENOMEM, "out of memory");
    else
      s->image[s->n++] = (eval_image){name, output};
  }
  free_listing(&files);
  return status;
}

/* Keeps `limit` images, evenly spread. */
static void thin_out(eval_set *s, uint64_t limit) {
  if (!limit || limit >= s->n) return;
  size_t kept = 0;
  for (size_t i = 0; i < s->n; i++)
    if (kept < limit && i == (size_t)((double)kept * (double)s->n / (double)limit))
      s->image[kept++] = s->image[i];
    else
      free(s->image[i].path);
  s->n = kept;
}

weft_status eval_set_find(const char *dir, const char *labels, uint64_t offset, uint64_t limit,
                          size_t outputs, eval_set *out, weft_err *err) {
  listing folders = {0};
  size_t room = 0;
  *out = (eval_set){0};
  weft_status status = list(dir, true, &folders, err);
  if (!status && !folders.n)
    status = weft_fail(err, WEFT_EINPUT, "%s: no class folders in it; expected CLASS/IMAGE", dir);
  uint64_t *class = calloc(folders.n + 1, sizeof *class);
  if (!status && !class) status = weft_fail(err, WEFT_ENOMEM, "out of memory");
  if (!status) status = find_classes(dir, labels, offset, outputs, &folders, class, err);
  for (size_t i = 0; !status && i < folders.n; i++)
    status = add_class(dir, folders.name[i], (uint32_t)(class[i] + offset), out, &room, err);
  if (!status && !out->n)
    status = weft_fail(err, WEFT_EINPUT,
                       "%s: no images in its %zu class folders (.png, .jpg, .jpeg, .bmp)", dir,
                       folders.n);
  out->n_classes = (int)folders.n;
  thin_out(out, limit);
  free(class);
  free_listing(&folders);
  return status;
}

void eval_set_free(eval_set *s) {
  for (size_t i = 0; i < s->n; i++) free(s->image[i].path);
  free(s->image);
}
