/* Encoder, decoder and disassembler, driven by tables that isa.def expands to. */
#include "isa.h"

#include <assert.h>
#include <string.h>

/* Bit positions: fields follow each other, so one enumeration per instruction counts them off. */
#define WEFT_INSN(name, opcode, unit, doc) enum { name##__begin = -1,
#define WEFT_U(name, field, bits, min, max, doc)                                                   \
  name##_##field##_LSB, name##_##field##_MSB = name##_##field##_LSB + (bits)-1,
#define WEFT_S(name, field, bits, doc) WEFT_U(name, field, bits, 0, 0, doc)
#define WEFT_END(name)                                                                             \
  name##__bits                                                                                     \
  }                                                                                                \
  ;                                                                                                \
  static_assert(name##__bits <= 8 * WEFT_INSN_BYTES, #name " does not fit its encoding");
#include "isa.def"

/* clang-format off */
/* Field tables. */
#define ALL_ONES(bits) (uint32_t)((bits) >= 32 ? UINT32_MAX : ((uint64_t)1 << (bits)) - 1)
#define WEFT_INSN(name, opcode, unit, doc) static const weft_field fields_##name[] = {
#define WEFT_H(name, field, bits, min, max, doc)                                                   \
  {#field, name##_##field##_LSB, bits, 0, min, (max) ? (max) : ALL_ONES(bits),                     \
   offsetof(weft_insn, field), doc},
#define WEFT_U(name, field, bits, min, max, doc)                                                   \
  {#field, name##_##field##_LSB, bits, 0, min, (max) ? (max) : ALL_ONES(bits),                     \
   offsetof(weft_insn, name.field), doc},
#define WEFT_S(name, field, bits, doc)                                                             \
  {#field, name##_##field##_LSB, bits, 1, 0, 0, offsetof(weft_insn, name.field), doc},
#define WEFT_END(name)                                                                             \
  }                                                                                                \
  ;
#include "isa.def"

static const weft_insn_info insns[] = {
#define WEFT_INSN(name, opcode, unit, doc)                                                         \
  {#name, opcode, WEFT_UNIT_##unit, doc, (int)(sizeof fields_##name / sizeof *fields_##name),      \
   fields_##name},
#define WEFT_U(name, field, bits, min, max, doc)
#define WEFT_S(name, field, bits, doc)
#define WEFT_END(name)
#include "isa.def"
};
/* clang-format on */
enum { N_INSNS = sizeof insns / sizeof *insns };

const weft_insn_info *weft_insn_table(int *count) {
  *count = N_INSNS;
  return insns;
}

const weft_insn_info *weft_insn_lookup(uint32_t opcode) {
  for (int i = 0; i < N_INSNS; i++)
    if ((uint32_t)insns[i].opcode == opcode) return &insns[i];
  return NULL;
}

int weft_insn_unit(uint32_t opcode) {
  const weft_insn_info *info = weft_insn_lookup(opcode);
  return info ? info->unit : WEFT_UNIT_FETCH;
}

const char *weft_unit_name(int unit) {
  static const char *const names[] = {
#define WEFT_ENUM(group, name, value, doc) WEFT_ENUM_##group(name, value)
#define WEFT_ENUM_UNIT(name, value) [value] = #name,
#define WEFT_ENUM_MEM(name, value)
#define WEFT_ENUM_DEC(name, value)
#define WEFT_ENUM_VEW(name, value)
#define WEFT_ENUM_VPOOL(name, value)
#define WEFT_ENUM_VROW(name, value)
#include "enums.def"
#undef WEFT_ENUM
  };
  return unit >= 0 && unit < (int)(sizeof names / sizeof *names) ? names[unit] : "?";
}

static uint32_t get(const weft_insn *insn, const weft_field *f) {
  uint32_t v;
  memcpy(&v, (const char *)insn + f->offset, sizeof v);
  return v;
}

static int64_t value_of(const weft_insn *insn, const weft_field *f) {
  uint32_t v = get(insn, f);
  return f->is_signed ? (int64_t)(int32_t)v : (int64_t)v;
}

static int in_range(const weft_field *f, int64_t v) {
  if (!f->is_signed) return v >= f->min && v <= f->max;
  int64_t half = (int64_t)1 << (f->bits - 1);
  return v >= -half && v < half;
}

static void put_bits(uint8_t *out, int lsb, int bits, uint32_t v) {
  for (int done = 0; done < bits;) { /* a byte at a time */
    int at = (lsb + done) & 7, n = bits - done < 8 - at ? bits - done : 8 - at;
    uint8_t mask = (uint8_t)(((1u << n) - 1) << at);
    uint8_t *byte = &out[(lsb + done) >> 3];
    *byte = (uint8_t)((*byte & ~mask) | (((v >> done) << at) & mask));
    done += n;
  }
}

static uint32_t get_bits(const uint8_t *in, int lsb, int bits) {
  uint64_t w = 0;
  int first = lsb >> 3, last = (lsb + bits - 1) >> 3;
  for (int i = last; i >= first; i--) w = w << 8 | in[i];
  return (uint32_t)(w >> (lsb & 7)) & ALL_ONES(bits);
}

weft_status weft_encode(const weft_insn *insn, uint8_t out[WEFT_INSN_BYTES], weft_err *err) {
  const weft_insn_info *info = weft_insn_lookup(insn->opcode);
  if (!info)
    return weft_fail(err, WEFT_EINTERNAL, "encode: no instruction has opcode %u", insn->opcode);
  uint8_t bytes[WEFT_INSN_BYTES] = {0};
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    int64_t v = value_of(insn, f);
    if (!in_range(f, v)) {
      int64_t lo = f->is_signed ? -((int64_t)1 << (f->bits - 1)) : (int64_t)f->min;
      int64_t hi = f->is_signed ? ((int64_t)1 << (f->bits - 1)) - 1 : (int64_t)f->max;
      return weft_fail(err, WEFT_EINTERNAL, "encode: %s.%s is %lld, accepted %lld to %lld",
                       info->name, f->name, (long long)v, (long long)lo, (long long)hi);
    }
    put_bits(bytes, f->lsb, f->bits, (uint32_t)v);
  }
  memcpy(out, bytes, sizeof bytes);
  return WEFT_OK;
}

weft_status weft_decode(const uint8_t in[WEFT_INSN_BYTES], weft_insn *insn, weft_err *err) {
  uint32_t opcode = get_bits(in, END_opcode_LSB, END_opcode_MSB - END_opcode_LSB + 1);
  const weft_insn_info *info = weft_insn_lookup(opcode);
  if (!info) return weft_fail(err, WEFT_EDEVICE, "illegal opcode %u", opcode);
  weft_insn d;
  memset(&d, 0, sizeof d);
  int used = 0;
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    uint32_t v = get_bits(in, f->lsb, f->bits);
    if (f->is_signed && f->bits < 32 && v >> (f->bits - 1)) v |= ~ALL_ONES(f->bits);
    memcpy((char *)&d + f->offset, &v, sizeof v);
    if (!f->is_signed && !in_range(f, v))
      return weft_fail(err, WEFT_EDEVICE, "%s: field %s is %u, accepted %u to %u", info->name,
                       f->name, v, f->min, f->max);
    used = f->lsb + f->bits;
  }
  for (int b = used; b < 8 * WEFT_INSN_BYTES; b++)
    if (in[b >> 3] >> (b & 7) & 1)
      return weft_fail(err, WEFT_EDEVICE, "%s: reserved bit %d is set", info->name, b);
  *insn = d;
  return WEFT_OK;
}

static size_t append(char *buf, size_t size, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static size_t append(char *buf, size_t size, size_t at, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, fmt, ap);
  va_end(ap);
  return at + (n > 0 ? (size_t)n : 0);
}

size_t weft_disasm(const weft_insn *insn, char *buf, size_t size) {
  const weft_insn_info *info = weft_insn_lookup(insn->opcode);
  if (!info) return append(buf, size, 0, "illegal opcode %u", insn->opcode);
  size_t n = append(buf, size, 0, "%s", info->name);
  for (int i = 1; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    int64_t v = value_of(insn, f);
    if (!v) continue;
    if (f->offset == offsetof(weft_insn, wait) || f->offset == offsetof(weft_insn, post)) {
      n = append(buf, size, n, " %s", f->name);
      char sep = '=';
      for (int u = 0; u < WEFT_UNITS; u++)
        if (v >> u & 1) {
          n = append(buf, size, n, "%c%s", sep, weft_unit_name(u));
          sep = ',';
        }
    } else {
      n = append(buf, size, n, " %s=%lld", f->name, (long long)v);
    }
  }
  return n;
}
