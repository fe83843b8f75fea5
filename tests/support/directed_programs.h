/* Small programs of one purpose each: every instruction in every mode, and meetings in time that
 * chance brings about too rarely. A failure here says at once where to look. */
#ifndef WEFT_TEST_DIRECTED_PROGRAMS_H
#define WEFT_TEST_DIRECTED_PROGRAMS_H

#include "random_program.h"

int directed_programs(void);
/* Program `which` of directed_programs() for a configuration; its name is p->profile. */
void directed_program_make(random_program *p, const weft_config *cfg, int which);

#endif
