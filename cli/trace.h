/* The run as a trace that Perfetto (ui.perfetto.dev) and Chrome (chrome://tracing) open. */
#ifndef WEFT_TRACE_H
#define WEFT_TRACE_H

#include "err.h"
#include "result.h"

/* Writes trace-event JSON: process "weft", one track per unit, one complete event per instruction,
 * 1 microsecond of the trace = 1 cycle. An event lasts as timeline.h says (tracks without overlap);
 * the instruction's own start, busy and end are in its arguments. The file appears whole or not at
 * all; on error the text names `path`. */
weft_status weft_trace_write(const weft_run_result *r, const char *path, weft_err *err);

#endif
