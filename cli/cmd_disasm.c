/* `weft disasm`: a program's instructions, one line each. */
#include "commands.h"

#include "model_file.h"

static const char about[] =
    "Prints a program's instructions, or those that a network compiles to: index, layer, and one\n"
    "line of assembly (fields that are zero are left out). Steps that run on the host stand in\n"
    "between.";

static weft_status print_segment(const weft_program *p, const weft_step *step, weft_err *err) {
  for (uint32_t i = step->first; i < step->first + step->count; i++) {
    weft_insn insn;
    char line[2048];
    weft_status status = weft_decode(p->code + (size_t)i * WEFT_INSN_BYTES, &insn, err);
    if (status) return status;
    (void)weft_disasm(&insn, line, sizeof line);
    printf("%6u %4u  %s\n", i, p->layer_of[i], line);
  }
  return WEFT_OK;
}

static weft_status print_program(const weft_graph *g, const weft_program *p, weft_err *err) {
  for (int i = 0; i < p->n_layers; i++) {
    char name[61];
    (void)snprintf(name, sizeof name, "%s", p->layer[i].name);
    printf("; layer %d: %s %s\n", i, p->layer[i].op, name);
  }
  for (int i = 0; i < p->n_steps; i++) {
    const weft_step *step = &p->step[i];
    if (step->host) {
      printf("; host: node %d %s: %s\n", step->node, weft_op_name(g->node[step->node].op),
             step->why ? step->why : "");
      continue;
    }
    weft_status status = print_segment(p, step, err);
    if (status) return status;
  }
  return WEFT_OK;
}

int weft_cmd_disasm(int argc, char **argv) {
  weft_config_options config = {0};
  weft_list rest = {0};
  weft_err err;
  const weft_option table[] = {WEFT_CONFIG_OPTIONS(config)};
  const weft_command command = {
      "disasm", "PROGRAM|MODEL [options]", about, sizeof table / sizeof table[0], table, false, 1,
      1};
  int code = weft_options_parse(&command, argc, argv, &rest);
  if (code >= 0) return code;
  weft_model_file m = {0};
  weft_status status = weft_model_file_open(rest.item[0], &config, true, &m, &err);
  if (!status) status = print_program(m.graph, m.program, &err);
  code = status ? weft_complain(&err) : 0;
  weft_model_file_close(&m);
  return code;
}
