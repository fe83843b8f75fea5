/* `weft cosim`: model and RTL on the same program. */
#include "commands.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cosim.h"
#include "inputs.h"
#include "model_file.h"
#include "outfile.h"

typedef struct {
  weft_config_options config;
  weft_list input;
  const char *normalize, *json, *jitter;
  weft_waves waves;
  uint64_t seed;
  weft_norm norm;
} cosim_options;

static const char about[] =
    "Runs MODEL on the C model and on the Verilated RTL (make rtl PRESET=NAME) and compares every\n"
    "instruction's result, start and end, the counters, and DRAM at the end.\n"
    "Exit status: 0 nothing differs, 1 something does, 2 an error.";

static int parse(cosim_options *o, int argc, char **argv, weft_list *rest) {
  *o = (cosim_options){.normalize = "auto", .seed = 1};
  const weft_option table[] = {
      {"--input", "FILE", WEFT_OPT_LIST, &o->input, "as for weft run; default: random"},
      {"--normalize", "RANGE", WEFT_OPT_TEXT, &o->normalize, "as for weft run"},
      {"--seed", "N", WEFT_OPT_NUMBER, &o->seed, "of the random input (default: 1)"},
      WEFT_CONFIG_OPTIONS(o->config),
      {"--jitter", "SEED", WEFT_OPT_TEXT, &o->jitter,
       "an unfriendly memory for the RTL, random latencies and gaps: times are not compared"},
      WEFT_WAVES_OPTIONS(o->waves),
      {"--json", "FILE", WEFT_OPT_TEXT, &o->json, "writes the result as JSON; -: to the terminal"},
  };
  const weft_command command = {
      "cosim", "MODEL [options]", about, sizeof table / sizeof table[0], table, true, 1, 1};
  return weft_options_parse(&command, argc, argv, rest);
}

static weft_status save(const cosim_options *o, const weft_program *p, const char *model,
                        const weft_cosim_result *r, weft_err *err) {
  json_t *j = json_pack(
      "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:f, s:f, s:f, s:s, s:s}", "model", model,
      "preset", p->config.preset, "sim_cycles", (json_int_t)r->sim_cycles, "rtl_cycles",
      (json_int_t)r->rtl_cycles, "instructions", (json_int_t)r->instructions,
      "max_instruction_delta", (json_int_t)r->max_instruction_delta, "memory_mismatches",
      (json_int_t)r->memory_mismatches, "compared_bytes", (json_int_t)r->compared_bytes,
      "counters_differ", r->counters_differ, "sim_seconds", r->sim_seconds, "rtl_seconds",
      r->rtl_seconds, "rtl_cycles_per_second",
      r->rtl_seconds > 0 ? (double)r->rtl_cycles / r->rtl_seconds : 0.0, "first_memory_difference",
      r->first_memory, "first_time_difference", r->first_time);
  return weft_json_save(j, o->json, err);
}

static void tell(const weft_cosim_result *r) {
  printf("model %llu cycles, RTL %llu cycles (%.1f s, %.0f cycles/s)\n"
         "%zu instructions: largest difference of a start or end %llu cycles\n"
         "%llu bytes compared: %llu differ\n",
         (unsigned long long)r->sim_cycles, (unsigned long long)r->rtl_cycles, r->rtl_seconds,
         r->rtl_seconds > 0 ? (double)r->rtl_cycles / r->rtl_seconds : 0.0, r->instructions,
         (unsigned long long)r->max_instruction_delta, (unsigned long long)r->compared_bytes,
         (unsigned long long)r->memory_mismatches);
  if (r->counters_differ) printf("the counters differ\n");
  if (r->first_memory[0]) printf("first other result: %s\n", r->first_memory);
  if (r->first_time[0]) printf("first other time: %s\n", r->first_time);
}

int weft_cmd_cosim(int argc, char **argv) {
  cosim_options o;
  weft_list rest = {0};
  weft_err err;
  int code = parse(&o, argc, argv, &rest);
  if (code >= 0) return code;
  weft_model_file m = {0};
  void **input = NULL;
  weft_cosim_result r = {0};
  weft_status status = weft_norm_parse(o.normalize, &o.norm, &err);
  if (!status) status = weft_waves_parse(&o.waves, &err);
  if (!status) status = weft_model_file_open(rest.item[0], &o.config, true, &m, &err);
  if (!status) status = weft_inputs_load(m.graph, &o.input, o.norm, o.seed, &input, &err);
  if (o.jitter && setenv(WEFT_RTL_JITTER, o.jitter, 1) != 0)
    status = weft_fail(&err, WEFT_ENOMEM, "cosim: out of memory");
  if (!status) status = weft_cosim(m.graph, m.program, input, &o.waves, &r, &err);
  if (!status && o.json) status = save(&o, m.program, m.graph->name, &r, &err);
  if (!status && !(o.json && strcmp(o.json, "-") == 0)) tell(&r);
  code = status     ? weft_complain(&err)
         : o.jitter ? r.memory_mismatches != 0
                    : weft_cosim_differs(&r);
  if (m.graph) weft_inputs_free(m.graph, input);
  weft_model_file_close(&m);
  return code;
}
