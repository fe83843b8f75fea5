/* What holds for every program, just compiled or just loaded. */
#ifndef WEFT_PROGRAM_CHECK_H
#define WEFT_PROGRAM_CHECK_H

#include "program.h"

/* Checks the configuration, its hash, and that every index and range of the program's tables lies
 * within the program. `path` begins the message. Host nodes and result tensors are checked against
 * the graph only by who has it. */
weft_status weft_program_check(const weft_program *p, const char *path, weft_err *err);

#endif
