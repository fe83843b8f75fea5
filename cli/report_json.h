/* The run as JSON, for scripts. */
#ifndef WEFT_REPORT_JSON_H
#define WEFT_REPORT_JSON_H

#include "err.h"
#include "result.h"

/* Writes to `path`, whole or not at all; "-" is standard output. Keys whose value this run does not
 * have (cycles without timing, check without --check) are null. */
weft_status weft_report_json(const weft_run_result *r, const char *path, weft_err *err);

#endif
