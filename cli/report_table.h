/* The run as tables for a terminal of 100 columns. */
#ifndef WEFT_REPORT_TABLE_H
#define WEFT_REPORT_TABLE_H

#include <stdio.h>

#include "result.h"

void weft_report_table(const weft_run_result *r, FILE *f);
/* One line of the check's outcome, without a newline. */
void weft_check_line(const weft_run_result *r, char *out, size_t size);

#endif
