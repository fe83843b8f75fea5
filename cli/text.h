/* Text into HTML and JSON: escaping, and numbers as people read them.
 *
 * Names come from model files and may hold anything: bytes that are not UTF-8 become U+FFFD. */
#ifndef WEFT_TEXT_H
#define WEFT_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Writes `s` (NULL: nothing) so that it can stand in an element or in a quoted attribute. */
void weft_put_html(FILE *f, const char *s);
/* The same for a name: lines may break after its separators. Not for attributes. */
void weft_put_html_name(FILE *f, const char *s);
/* Writes `s` (NULL: "") as a JSON string without its quotes. */
void weft_put_json(FILE *f, const char *s);

/* A number as text, by value so that several can stand in one printf. */
typedef struct {
  char s[32];
} weft_num;
/* 1234567 as "1,234,567". */
weft_num weft_num_group(uint64_t v);
/* With three significant digits: "1.23 M", "45.6 k", "789". */
weft_num weft_num_short(double v);
/* A round number on an axis: "0", "500", "1.5 M". */
weft_num weft_num_axis(double v);
/* Bytes the same way: "1.23 MB", "789 B". */
weft_num weft_num_bytes(double v);

#endif
