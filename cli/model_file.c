/* Opening networks and programs. */
#include "model_file.h"

#include "cost.h"

#include "tflite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

weft_status weft_read_file(const char *path, void **bytes, size_t *n, weft_err *err) {
  struct stat st;
  FILE *f = fopen(path, "rb");
  if (!f) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  weft_status status = WEFT_OK;
  char *data = NULL;
  if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))
    status = weft_fail(err, WEFT_EINPUT, "%s: not a regular file", path);
  else if (!(data = malloc((size_t)st.st_size + 1)))
    status =
        weft_fail(err, WEFT_ENOMEM, "%s: no memory for %lld bytes", path, (long long)st.st_size);
  else if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
    status = weft_fail(err, WEFT_EINPUT, "%s: cannot be read to its end", path);
  fclose(f);
  if (status) {
    free(data);
    return status;
  }
  data[st.st_size] = 0;
  *bytes = data;
  *n = (size_t)st.st_size;
  return WEFT_OK;
}

/* The program's configuration against the one asked for. */
static weft_status same_config(const char *path, const weft_config *made, const weft_config *asked,
                               weft_err *err) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    uint32_t a = *(const uint32_t *)((const char *)made + key[i].offset);
    uint32_t b = *(const uint32_t *)((const char *)asked + key[i].offset);
    if (a != b)
      return weft_fail(err, WEFT_EINPUT, "%s: compiled for %s = %u, asked for %s = %u", path,
                       key[i].name, a, key[i].name, b);
  }
  return WEFT_OK;
}

static weft_status open_program(const char *path, const weft_config_options *config,
                                weft_model_file *m, weft_err *err) {
  weft_config asked;
  weft_status status = weft_program_load(path, &m->program, &m->bytes, &m->n_bytes, err);
  if (status) return status;
  m->was_program = true;
  if (config) status = weft_config_choose(config, &m->program->config, &asked, err);
  if (!status && config) status = same_config(path, &m->program->config, &asked, err);
  if (!status) status = weft_tflite_parse(m->bytes, m->n_bytes, path, &m->graph, err);
  return status;
}

/* What a program refers to in its graph; the file's own consistency is weft_program_load's. */
static weft_status fits(const char *path, const weft_graph *g, const weft_program *p,
                        weft_err *err) {
  bool good = p->n_tensors == g->n_tensors;
  for (int i = 0; good && i < p->n_steps; i++)
    good = !p->step[i].host || (p->step[i].node >= 0 && p->step[i].node < g->n_nodes);
  for (uint32_t i = 0; good && i < p->n_insns; i++) good = p->result[i].tensor < g->n_tensors;
  for (int t = 0; good && t < p->n_tensors; t++)
    good = p->place[t].offset == WEFT_NOWHERE ||
           (p->place[t].bytes == weft_tensor_bytes(&g->tensor[t]) &&
            p->place[t].offset <= p->arena_bytes &&
            p->place[t].bytes <= p->arena_bytes - p->place[t].offset);
  return good ? WEFT_OK
              : weft_fail(err, WEFT_EINPUT, "%s: the program does not fit the network in it", path);
}

weft_status weft_model_file_open(const char *path, const weft_config_options *config, bool compile,
                                 weft_model_file *out, weft_err *err) {
  weft_model_file *m = out;
  weft_config chosen;
  memset(m, 0, sizeof *m);
  if (weft_program_is(path)) {
    weft_status status = open_program(path, config, m, err);
    return status ? status : fits(path, m->graph, m->program, err);
  }
  weft_status status = WEFT_OK;
  if (config) status = weft_config_choose(config, NULL, &chosen, err);
  if (!status) status = weft_read_file(path, &m->bytes, &m->n_bytes, err);
  if (!status) status = weft_tflite_parse(m->bytes, m->n_bytes, path, &m->graph, err);
  if (status || !compile) return status;
  double start = now();
  weft_cost *cost = weft_cost_new();
  weft_compile_options how = {.naive = config && config->no_groups,
                              .in_order = config && config->no_overlap,
                              .cycles = cost ? weft_cost_cycles : NULL,
                              .user = cost};
  if (config && config->dump) {
    how.dump = strcmp(config->dump, "-") == 0 ? stdout : fopen(config->dump, "w");
    if (!how.dump) {
      weft_cost_free(cost);
      return weft_fail(err, WEFT_EINPUT, "%s: cannot be written (%s)", config->dump,
                       strerror(errno));
    }
  }
  status = weft_compile(m->graph, &chosen, &how, &m->program, err);
  weft_cost_free(cost);
  if (how.dump && how.dump != stdout) fclose(how.dump);
  if (status) return status;
  if (m->program->compile_seconds <= 0) m->program->compile_seconds = now() - start;
  return fits(path, m->graph, m->program, err);
}

void weft_model_file_close(weft_model_file *m) {
  weft_program_free(m->program);
  weft_graph_free(m->graph);
  free(m->bytes);
  memset(m, 0, sizeof *m);
}
