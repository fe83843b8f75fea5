/* The commands of the `weft` program. Each takes its own arguments (argv[0] is the command's name)
 * and returns the exit status: 0 done, 1 a check failed, 2 an error, told in one line on stderr. */
#ifndef WEFT_COMMANDS_H
#define WEFT_COMMANDS_H

int weft_cmd_run(int argc, char **argv);
int weft_cmd_cosim(int argc, char **argv);
int weft_cmd_compile(int argc, char **argv);
int weft_cmd_disasm(int argc, char **argv);
int weft_cmd_info(int argc, char **argv);
int weft_cmd_eval(int argc, char **argv);

#endif
