/* `weft compile`: a network file into a program file. */
#include "commands.h"

#include <string.h>

#include "model_file.h"
#include "text.h"

static const char about[] =
    "Compiles MODEL (.tflite) for a configuration. The program file holds everything that\n"
    "`weft run` needs, the network included.";

static int tell(const weft_program *p, const char *path) {
  int host = 0;
  for (int i = 0; i < p->n_steps; i++) host += p->step[i].host;
  printf("%s: %s instructions, %s of constants, %s arena, for %s, in %.3f s\n", path,
         weft_num_group(p->n_insns).s, weft_num_bytes((double)p->constant_bytes).s,
         weft_num_bytes((double)p->arena_bytes).s, p->config.preset, p->compile_seconds);
  if (host) printf("%d operators stay on the host (weft info %s lists them)\n", host, path);
  return 0;
}

int weft_cmd_compile(int argc, char **argv) {
  weft_config_options config = {0};
  weft_list rest = {0};
  const char *out = NULL;
  bool quiet = false;
  weft_err err;
  const weft_option table[] = {
      {"-o", "PROGRAM", WEFT_OPT_TEXT, &out, "the file to write"},
      WEFT_CONFIG_OPTIONS(config),
      {"--quiet", NULL, WEFT_OPT_FLAG, &quiet, "prints nothing"},
  };
  const weft_command command = {"compile", "MODEL -o PROGRAM [options]",
                                about,     sizeof table / sizeof table[0],
                                table,     true,
                                1,         1};
  int code = weft_options_parse(&command, argc, argv, &rest);
  if (code >= 0) return code;
  const char *path = rest.item[0];
  weft_status status = WEFT_OK;
  if (!out)
    status = weft_fail(&err, WEFT_EINPUT, "compile: no file to write; usage: weft compile %s",
                       command.usage);
  else if (weft_program_is(path))
    status =
        weft_fail(&err, WEFT_EINPUT, "%s: is a program already, accepted: a .tflite file", path);
  weft_model_file m = {0};
  if (!status) status = weft_model_file_open(path, &config, true, &m, &err);
  if (!status) status = weft_program_save(m.program, m.bytes, m.n_bytes, out, &err);
  code = status ? weft_complain(&err) : quiet ? 0 : tell(m.program, out);
  weft_model_file_close(&m);
  return code;
}
