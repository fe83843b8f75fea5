/* The `weft` program: finds the command and hands it its arguments. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "isa.h"

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *what;
} commands[] = {
    {"run", weft_cmd_run, "runs a network, says what each layer cost, checks every result"},
    {"cosim", weft_cmd_cosim, "runs model and RTL on the same program and compares them"},
    {"compile", weft_cmd_compile, "compiles a network into a program file"},
    {"disasm", weft_cmd_disasm, "prints a program's instructions"},
    {"info", weft_cmd_info, "describes a network or program; lists presets and keys"},
    {"eval", weft_cmd_eval, "measures a classifier's accuracy over many inputs"},
};
enum { N = sizeof commands / sizeof commands[0] };

static int help(void) {
  printf("weft: compiler, simulator and tools of the Weft accelerator (instruction set %d)\n\n"
         "Usage: weft COMMAND [arguments]\n\nCommands:\n",
         WEFT_ISA_VERSION);
  for (int i = 0; i < N; i++) printf("  %-9s %s\n", commands[i].name, commands[i].what);
  printf("\nweft COMMAND --help tells more.\n"
         "Errors are one line on stderr and exit status 2; a check that fails is exit status 1.\n");
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    (void)fprintf(stderr, "weft: no command (weft --help lists them)\n");
    return 2;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
    return help();
  for (int i = 0; i < N; i++)
    if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
  (void)fprintf(stderr, "weft: unknown command '%s', accepted:", argv[1]);
  for (int i = 0; i < N; i++) (void)fprintf(stderr, " %s", commands[i].name);
  (void)fprintf(stderr, "\n");
  return 2;
}
