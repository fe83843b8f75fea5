/* Parts of the HTML report, shared by the report_*.c files only; cli/report_html.h is the way in.
 *
 * report_html.c puts the page together, report_tables.c writes its tables, report_svg.c the charts
 * by layer, report_time.c the charts over time, report_style.c holds style sheet and script. */
#ifndef WEFT_REPORT_H
#define WEFT_REPORT_H

#include <stdio.h>

#include "result.h"
#include "timeline.h"

/* All charts share one width: labels on the left, then the plot, in SVG user units. */
enum { REPORT_LEFT = 66, REPORT_PLOT = 1000, REPORT_WIDTH = 1080 };

extern const char report_style[], report_script[];

/* The colour class of what bounds a layer: "b-array", ...; "b-none" for unknown words. */
const char *report_bound_class(const char *bound_by);
/* The word as the page writes it. */
const char *report_bound_name(const char *bound_by);
/* Share of `part` in `whole` in percent; 0 of 0 is 0. */
double report_percent(double part, double whole);
/* A round distance between axis marks, so that about `marks` of them reach `max`. */
double report_step(double max, int marks);

/* report_tables.c */
void report_layers(FILE *f, const weft_run_result *r);
void report_stalls(FILE *f, const weft_run_result *r);
void report_outputs(FILE *f, const weft_run_result *r);
void report_host(FILE *f, const weft_run_result *r);
void report_config(FILE *f, const weft_run_result *r);

/* report_svg.c */
void report_cycles_chart(FILE *f, const weft_run_result *r);
void report_dram_chart(FILE *f, const weft_run_result *r);

/* report_time.c: columns of equal time, aggregated from the tracks */
weft_status report_time_chart(FILE *f, const weft_run_result *r, const weft_timeline *t,
                              weft_err *err);

#endif
