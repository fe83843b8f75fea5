/* The run as one HTML page: self-contained, readable without JavaScript, on screen and on paper. */
#ifndef WEFT_REPORT_HTML_H
#define WEFT_REPORT_HTML_H

#include "err.h"
#include "result.h"

/* Writes the page; the file appears whole or not at all, and on error the text names `path`. Its
 * size does not depend on the number of slices. */
weft_status weft_report_html(const weft_run_result *r, const char *path, weft_err *err);

#endif
