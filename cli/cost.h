/* The cycle model that the command line hands to the compiler: the C model's timing. */
#ifndef WEFT_COST_H
#define WEFT_COST_H

#include "program.h"

typedef struct weft_cost weft_cost;
weft_cost *weft_cost_new(void);
void weft_cost_free(weft_cost *cost);
/* weft_compile_options.cycles with `user` a weft_cost: cycles of all device steps, or UINT64_MAX
 * when one of them fails. */
uint64_t weft_cost_cycles(void *user, const weft_program *program);

#endif
