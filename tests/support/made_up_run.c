/* Makes the run of made_up_run.h; see made_up_new. */
#include "made_up_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_layer(made_up *m, const char *block, const char *op, int side, int in, int out,
                      int kernel) {
  int i = m->r.n_layers++;
  if (i >= MADE_UP_LAYERS) abort();
  weft_layer_result *l = &m->layer[i];
  bool dw = strcmp(op, "DEPTHWISE_CONV_2D") == 0, add = strcmp(op, "ADD") == 0;
  double pixels = (double)side * side, weights = dw    ? out * 9.0
                                                 : add ? 0
                                                       : (double)in * out * kernel;
  (void)snprintf(m->name[i], sizeof m->name[i], "MobilenetV2/%s/%s", block, op);
  l->name = m->name[i];
  l->op = op;
  l->unit = dw ? "DW" : add || strstr(op, "POOL") ? "VEC" : "GEMM";
  l->macs = add ? 0 : (uint64_t)(pixels * weights);
  double array = !dw && !add ? (double)l->macs / 256 : 0;
  double engine = dw ? pixels * out * 3 / 16 : 0, vector = add ? pixels * out / 16 : 0;
  l->dram_bytes = (uint64_t)weights + (i % 7 == 0 || add ? (uint64_t)pixels * (uint64_t)out : 0);
  double dram = (double)l->dram_bytes / 8;
  l->bound_by = array >= engine && array >= vector && array >= dram ? "array"
                : dram >= engine && dram >= vector                  ? "dram"
                : dw                                                ? "depthwise"
                                                                    : "vector";
  double bound = array > dram ? array : dram;
  if (engine > bound) bound = engine;
  if (vector > bound) bound = vector;
  l->bound = (uint64_t)bound;
  l->cycles = (uint64_t)(bound * (dw ? 0.4 : 1.02 + 0.02 * (i % 9))) + 180;
  if (bound < 300) l->bound_by = "latency";
  l->utilization = (double)l->macs / (256.0 * (double)l->cycles);
}

static void add_layers(made_up *m) {
  static const int t[][4] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int side = 112, in = 32, block = 0;
  add_layer(m, "Conv", "CONV_2D", side, 3, 32, 9);
  for (int g = 0; g < 7; g++)
    for (int k = 0; k < t[g][2]; k++, block++) {
      char name[48];
      int wide = in * t[g][0];
      (void)snprintf(name, sizeof name, "expanded_conv_%d", block);
      if (t[g][0] > 1) add_layer(m, name, "CONV_2D", side, in, wide, 1);
      if (k == 0) side /= t[g][3];
      add_layer(m, name, "DEPTHWISE_CONV_2D", side, wide, wide, 9);
      add_layer(m, name, "CONV_2D", side, wide, t[g][1], 1);
      if (k) add_layer(m, name, "ADD", side, in, in, 1);
      in = t[g][1];
    }
  add_layer(m, "Conv_1", "CONV_2D", 7, 320, 1280, 1);
  add_layer(m, "Logits/AvgPool", "AVERAGE_POOL_2D", 1, 1280, 1280, 1);
  add_layer(m, "Logits", "FULLY_CONNECTED", 1, 1280, 1001, 1);
}

static void add_slice(made_up *m, int unit, int layer, uint64_t busy, uint64_t cycles) {
  weft_slice *s = &m->r.slice[m->r.n_slices];
  *s = (weft_slice){(uint32_t)m->r.n_slices++, unit, layer, busy > 20 ? busy - 20 : 0, busy,
                    busy + cycles + 14}; /* the last 14 under the next one's beginning */
}

/* Every layer in `tiles` pieces, each a LOAD, the arithmetic, and sometimes a STORE. */
static void add_slices(made_up *m, size_t tiles) {
  uint64_t now = 0, loaded = 0;
  m->r.slice = calloc(m->r.n_layers * tiles * 3, sizeof *m->r.slice);
  if (!m->r.slice) abort();
  for (int i = 0; i < m->r.n_layers; i++) {
    weft_layer_result *l = &m->layer[i];
    int unit = l->unit[0] == 'D'   ? WEFT_UNIT_DW
               : l->unit[0] == 'V' ? WEFT_UNIT_VEC
                                   : WEFT_UNIT_GEMM;
    bool stores = i % 7 == 0 || unit == WEFT_UNIT_VEC;
    uint64_t each = l->cycles / tiles, load = l->dram_bytes / 8 / tiles / (stores ? 2 : 1) + 1;
    uint64_t at = now;
    for (size_t k = 0; k < tiles; k++) {
      uint64_t from = loaded > at ? loaded : at > 3000 ? at - 3000 : 0;
      if (from < loaded) from = loaded;
      add_slice(m, WEFT_UNIT_LOAD, i, from, load);
      loaded = from + load;
      if (loaded > at) at = loaded;
      add_slice(m, unit, i, at, each * (unit == WEFT_UNIT_DW ? 2 : 1) * 9 / 10);
      at += each;
      if (stores) add_slice(m, WEFT_UNIT_STORE, i, at + 20, load);
    }
    l->cycles = at - now;
    l->utilization = (double)l->macs / (256.0 * (double)l->cycles);
    now = at;
  }
  m->r.cycles = now + 60;
}

made_up *made_up_new(size_t tiles) {
  made_up *m = calloc(1, sizeof *m);
  if (!m) abort();
  weft_run_result *r = &m->r;
  *r = (weft_run_result){.model = "mobilenet_v2_1.0_224",
                         .preset = "edge-256",
                         .backend = "model",
                         .timed = true,
                         .checked = true,
                         .layer = m->layer,
                         .unit = m->unit,
                         .output = &m->output,
                         .n_outputs = 1,
                         .n_units = WEFT_UNITS + 1};
  weft_config_default(&r->config);
  add_layers(m);
  add_slices(m, tiles);
  for (int i = 0; i < r->n_layers; i++) {
    r->macs += m->layer[i].macs;
    r->dram_read_bytes += m->layer[i].dram_bytes * 3 / 4;
    r->dram_write_bytes += m->layer[i].dram_bytes / 4;
    if (m->layer[i].unit[0] == 'G') r->array_macs += m->layer[i].macs;
  }
  r->lower_bound_cycles = r->cycles * 91 / 100;
  r->mac_utilization = (double)r->macs / (256.0 * (double)r->cycles);
  r->peak_utilization = r->mac_utilization * 0.84;
  r->array_utilization = (double)r->array_macs / (256.0 * (double)r->cycles);
  r->n_instructions = r->n_slices;
  r->compile_seconds = 0.83, r->wall_seconds = 1.29;
  r->check.elements = 6712345;
  static const int part[WEFT_UNITS + 1][4] = {{38, 21, 17, 0}, {87, 9, 0, 1},  {34, 40, 0, 2},
                                              {6, 55, 0, 1},   {11, 60, 4, 0}, {2, 0, 1, 71}};
  for (int u = 0; u <= WEFT_UNITS; u++) {
    uint64_t c = r->cycles / 100;
    m->unit[u] = (weft_unit_result){.name = weft_unit_name(u),
                                    .busy = c * part[u][0],
                                    .stall_operand = c * part[u][1],
                                    .stall_dram = c * part[u][2],
                                    .stall_queue = c * part[u][3]};
    m->unit[u].idle = r->cycles - c * (uint64_t)(part[u][0] + part[u][1] + part[u][2] + part[u][3]);
  }
  m->output = (weft_output_result){.name = "MobilenetV2/Predictions/Softmax",
                                   .rank = 2,
                                   .shape = {1, 1001},
                                   .dtype = WEFT_UINT8,
                                   .n_top = 5};
  static const char *const label[] = {"military uniform", "Windsor tie", "bow tie & <b>bold</b>",
                                      "mortarboard", NULL};
  static const double value[] = {0.7734, 0.0898, 0.0313, 0.0117, 0.0078};
  static const int index[] = {653, 907, 458, 668, 466};
  for (int i = 0; i < 5; i++) {
    m->output.top[i].index = index[i];
    m->output.top[i].value = value[i];
    m->output.top[i].label = label[i];
  }
  return m;
}

void made_up_free(made_up *m) {
  free(m->r.slice);
  free(m->r.host);
  free(m);
}

void made_up_add_host(made_up *m) {
  m->r.n_host = 2;
  m->r.host = calloc(2, sizeof *m->r.host);
  if (!m->r.host) abort();
  m->r.host[0].name = "MobilenetV2/Predictions/Reshape", m->r.host[0].op = "RESIZE_BILINEAR";
  m->r.host[0].why = "no instruction interpolates";
  m->r.host[1].name = "weird \"<name>\" \xff\xc3", m->r.host[1].op = "CAST";
  m->r.host[1].why = "float32 tensors stay on the host & its kernels";
}
