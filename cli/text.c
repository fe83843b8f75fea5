/* Escaping and number formats; see text.h. */
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (Unicode's table 3-7: no surrogates, nothing overlong), or 0 if
 * there is none. */
static size_t utf8_length(const unsigned char *s) {
  unsigned lo = 0x80, hi = 0xbf;
  size_t n;
  if (s[0] < 0x80) return 1;
  if (s[0] >= 0xc2 && s[0] <= 0xdf)
    n = 2;
  else if (s[0] >= 0xe0 && s[0] <= 0xef)
    n = 3;
  else if (s[0] >= 0xf0 && s[0] <= 0xf4)
    n = 4;
  else
    return 0;
  if (s[0] == 0xe0) lo = 0xa0;
  if (s[0] == 0xed) hi = 0x9f;
  if (s[0] == 0xf0) lo = 0x90;
  if (s[0] == 0xf4) hi = 0x8f;
  if (s[1] < lo || s[1] > hi) return 0;
  for (size_t i = 2; i < n; i++)
    if (s[i] < 0x80 || s[i] > 0xbf) return 0;
  return n;
}

/* Writes one character that needs no escape; returns how many bytes it took. */
static size_t put_plain(FILE *f, const char *s) {
  size_t n = utf8_length((const unsigned char *)s);
  if (n)
    (void)fwrite(s, 1, n, f);
  else
    (void)fputs("\xef\xbf\xbd", f);
  return n ? n : 1;
}

/* `breaks`: characters after which a line may break. */
static void put_html(FILE *f, const char *s, const char *breaks) {
  while (s && *s) {
    unsigned char c = (unsigned char)*s;
    const char *entity = c == '<'               ? "&lt;"
                         : c == '>'             ? "&gt;"
                         : c == '&'             ? "&amp;"
                         : c == '"'             ? "&quot;"
                         : c == '\''            ? "&#39;"
                         : c < ' ' || c == 0x7f ? " "
                                                : NULL;
    if (entity)
      (void)fputs(entity, f), s++;
    else
      s += put_plain(f, s);
    if (strchr(breaks, c)) (void)fputs("<wbr>", f);
  }
}

void weft_put_html(FILE *f, const char *s) {
  put_html(f, s, "");
}
void weft_put_html_name(FILE *f, const char *s) {
  put_html(f, s, "/_;:+.");
}

void weft_put_json(FILE *f, const char *s) {
  while (s && *s) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      (void)fprintf(f, "\\%c", c), s++;
    else if (c < ' ' || c == 0x7f)
      (void)fprintf(f, "\\u%04x", c), s++;
    else
      s += put_plain(f, s);
  }
}

weft_num weft_num_group(uint64_t v) {
  char digits[24];
  weft_num out;
  int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v), at = 0;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0) out.s[at++] = ',';
    out.s[at++] = digits[i];
  }
  out.s[at] = 0;
  return out;
}

static weft_num scaled(double v, const char *unit, bool axis) {
  static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
  char number[24];
  weft_num out;
  size_t p = 0;
  while (v >= 999.5 && p + 1 < sizeof prefix / sizeof *prefix) v /= 1000, p++;
  int digits = p == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
  if (axis)
    (void)snprintf(number, sizeof number, "%.3g", v);
  else
    (void)snprintf(number, sizeof number, "%.*f", digits, v);
  (void)snprintf(out.s, sizeof out.s, "%s%s%s%s", number, p || *unit ? " " : "", prefix[p], unit);
  return out;
}

weft_num weft_num_short(double v) {
  return scaled(v, "", false);
}
weft_num weft_num_axis(double v) {
  return scaled(v, "", true);
}
weft_num weft_num_bytes(double v) {
  return scaled(v, "B", false);
}
