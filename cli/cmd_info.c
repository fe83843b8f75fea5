/* `weft info`: what is in a network or program file; presets and configuration keys. */
#include "commands.h"

#include <string.h>

#include "model_file.h"
#include "runner.h"
#include "text.h"

static const char about[] =
    "Describes a network (.tflite) or a program file. Without a file, --presets and --keys list\n"
    "the shipped configurations and the configuration keys.";

/* --- configurations -------------------------------------------------------------------------- */
static void print_config(const weft_config *c, const weft_config *other) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    uint32_t v = *(const uint32_t *)((const char *)c + key[i].offset);
    if (other && v == *(const uint32_t *)((const char *)other + key[i].offset)) continue;
    printf("  %-17s %6u  %s\n", key[i].name, v, key[i].doc);
  }
}

static int print_presets(void) {
  const char *const *name = weft_config_presets();
  weft_config base, c;
  weft_config_default(&base);
  for (int i = 0; name[i]; i++) {
    if (weft_config_preset(&c, name[i], NULL) != WEFT_OK) continue;
    printf("%s%s: %u x %u array, %u KiB scratchpad, %u B/cycle DRAM, %u MHz\n", name[i],
           i ? "" : " (default)", c.rows, c.cols, c.scratchpad_kib, c.dram_bytes, c.clock_mhz);
    if (i) print_config(&c, &base);
  }
  return 0;
}

/* --- networks -------------------------------------------------------------------------------- */
static void print_tensor(const char *what, const weft_tensor *t) {
  printf("  %-7s %s %s [", what, t->name ? t->name : "", weft_dtype_name(t->dtype));
  for (int i = 0; i < t->rank; i++) printf("%s%d", i ? "," : "", t->dim[i]);
  printf("]");
  if (t->quant.n == 1)
    printf(" scale %g, zero point %d", (double)t->quant.scale[0], t->quant.zero_point[0]);
  printf("\n");
}

static void print_operators(const weft_graph *g) {
  struct {
    int n;
    uint64_t macs;
  } sum[WEFT_OP_COUNT] = {{0, 0}};
  uint64_t all = 0;
  for (int i = 0; i < g->n_nodes; i++) {
    uint64_t macs = weft_node_macs(g, i);
    sum[g->node[i].op].n++;
    sum[g->node[i].op].macs += macs;
    all += macs;
  }
  printf("operators: %d, %s MACs\n", g->n_nodes, weft_num_group(all).s);
  for (int op = 0; op < WEFT_OP_COUNT; op++)
    if (sum[op].n)
      printf("  %-24s %4d %16s MACs\n", weft_op_name((weft_opcode)op), sum[op].n,
             weft_num_group(sum[op].macs).s);
}

static void print_sizes(const weft_graph *g) {
  uint64_t elements = 0, bytes = 0, live = 0;
  int constants = 0, per_channel = 0, per_tensor = 0, plain = 0;
  int types[WEFT_BOOL + 1] = {0};
  for (int t = 0; t < g->n_tensors; t++) {
    const weft_tensor *x = &g->tensor[t];
    types[x->dtype]++;
    if (x->quant.n > 1)
      per_channel++;
    else if (x->quant.n == 1)
      per_tensor++;
    else
      plain++;
    if (!weft_is_const(x)) {
      live += weft_tensor_bytes(x);
      continue;
    }
    constants++;
    elements += weft_tensor_elements(x);
    bytes += weft_tensor_bytes(x);
  }
  printf("parameters: %s in %d tensors, %s; activations: %s in all\n", weft_num_group(elements).s,
         constants, weft_num_bytes((double)bytes).s, weft_num_bytes((double)live).s);
  printf("quantization: %d tensors per channel, %d per tensor, %d without; types:", per_channel,
         per_tensor, plain);
  for (int d = 0; d <= WEFT_BOOL; d++)
    if (types[d]) printf(" %s %d", weft_dtype_name((weft_dtype)d), types[d]);
  printf("\n");
}

static void print_graph(const weft_graph *g) {
  printf("network %s: %d tensors\n", g->name, g->n_tensors);
  for (int i = 0; i < g->n_inputs; i++) print_tensor("input", &g->tensor[g->input[i]]);
  for (int i = 0; i < g->n_outputs; i++) print_tensor("output", &g->tensor[g->output[i]]);
  print_operators(g);
  print_sizes(g);
}

/* --- programs -------------------------------------------------------------------------------- */
static void print_program(const weft_graph *g, const weft_program *p) {
  int segments = 0;
  for (int i = 0; i < p->n_steps; i++) segments += !p->step[i].host;
  printf("program for %s, configuration %016llx\n", p->config.preset,
         (unsigned long long)p->config_hash);
  print_config(&p->config, NULL);
  printf("code: %s instructions, %s\n", weft_num_group(p->n_insns).s,
         weft_num_bytes((double)p->n_insns * WEFT_INSN_BYTES).s);
  printf("constants: %s, arena: %s\n", weft_num_bytes((double)p->constant_bytes).s,
         weft_num_bytes((double)p->arena_bytes).s);
  printf("lower bound: %s cycles (array %s, depthwise %s, vector %s, DRAM %s)\n",
         weft_num_group(p->bound).s, weft_num_group(p->bound_array).s,
         weft_num_group(p->bound_dw).s, weft_num_group(p->bound_vec).s,
         weft_num_group(p->bound_dram).s);
  printf("steps: %d, %d of them on the device\n", p->n_steps, segments);
  for (int i = 0; i < p->n_steps; i++) {
    const weft_step *s = &p->step[i];
    if (s->host)
      printf("  host    %s: %s\n", weft_op_name(g->node[s->node].op), s->why ? s->why : "");
    else
      printf("  device  instructions %u to %u\n", s->first, s->first + s->count - 1);
  }
}

int weft_cmd_info(int argc, char **argv) {
  weft_list rest = {0};
  bool presets = false, keys = false;
  weft_err err;
  const weft_option table[] = {
      {"--presets", NULL, WEFT_OPT_FLAG, &presets, "the shipped configurations"},
      {"--keys", NULL, WEFT_OPT_FLAG, &keys, "every configuration key with its range"},
  };
  const weft_command command = {
      "info", "FILE | --presets | --keys", about, sizeof table / sizeof table[0], table, false, 0,
      1};
  int code = weft_options_parse(&command, argc, argv, &rest);
  if (code >= 0) return code;
  if (presets) (void)print_presets();
  if (keys) weft_print_keys(stdout);
  if (rest.n == 0) {
    if (presets || keys) return 0;
    (void)weft_fail(&err, WEFT_EINPUT, "info: nothing to describe; usage: weft info %s",
                    command.usage);
    return weft_complain(&err);
  }
  weft_model_file m = {0};
  weft_status status = weft_model_file_open(rest.item[0], NULL, false, &m, &err);
  if (!status) {
    print_graph(m.graph);
    if (m.program) print_program(m.graph, m.program);
  }
  code = status ? weft_complain(&err) : 0;
  weft_model_file_close(&m);
  return code;
}
