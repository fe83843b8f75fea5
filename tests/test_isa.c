/* The instruction set's tables, encoder, decoder and disassembler: every field of every
 * instruction, walked by the tables themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "isa.h"

static uint64_t seed = 88172645463325252u;
static uint32_t random32(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed >> 16);
}

static int64_t lowest(const weft_field *f) {
  return f->is_signed ? -((int64_t)1 << (f->bits - 1)) : (int64_t)f->min;
}

static int64_t highest(const weft_field *f) {
  return f->is_signed ? ((int64_t)1 << (f->bits - 1)) - 1 : (int64_t)f->max;
}

static int64_t any(const weft_field *f) {
  return lowest(f) + (int64_t)(random32() % (uint64_t)(highest(f) - lowest(f) + 1));
}

static void set(weft_insn *insn, const weft_field *f, int64_t v) {
  uint32_t bits = (uint32_t)v;
  memcpy((char *)insn + f->offset, &bits, sizeof bits);
}

static int64_t get(const weft_insn *insn, const weft_field *f) {
  uint32_t v;
  memcpy(&v, (const char *)insn + f->offset, sizeof v);
  return f->is_signed ? (int64_t)(int32_t)v : (int64_t)v;
}

/* A legal instruction with every field at its smallest legal value. */
static weft_insn smallest(const weft_insn_info *info) {
  weft_insn insn;
  memset(&insn, 0, sizeof insn);
  for (int i = 0; i < info->n_fields; i++)
    set(&insn, &info->field[i], info->field[i].is_signed ? 0 : info->field[i].min);
  insn.opcode = (uint32_t)info->opcode;
  return insn;
}

static bool is_opcode(const weft_field *f) {
  return f->offset == offsetof(weft_insn, opcode);
}

/* Bits of the encoding, read one at a time: independent of the decoder. */
static uint32_t bits_of(const uint8_t *bytes, int lsb, int n) {
  uint32_t v = 0;
  for (int b = 0; b < n; b++) v |= (uint32_t)(bytes[(lsb + b) / 8] >> ((lsb + b) % 8) & 1) << b;
  return v;
}

static void expect_same(const weft_insn_info *info, const weft_insn *a, const weft_insn *b) {
  for (int i = 0; i < info->n_fields; i++)
    if (get(a, &info->field[i]) != get(b, &info->field[i]))
      fail_msg("%s.%s: %lld became %lld", info->name, info->field[i].name,
               (long long)get(a, &info->field[i]), (long long)get(b, &info->field[i]));
}

static void round_trip(const weft_insn_info *info, const weft_insn *insn) {
  weft_err err = {""};
  uint8_t bytes[WEFT_INSN_BYTES];
  weft_insn back;
  if (weft_encode(insn, bytes, &err) != WEFT_OK) fail_msg("%s", err.text);
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    uint32_t mask = f->bits == 32 ? UINT32_MAX : ((uint32_t)1 << f->bits) - 1;
    if (bits_of(bytes, f->lsb, f->bits) != ((uint32_t)get(insn, f) & mask))
      fail_msg("%s.%s does not stand at bit %d", info->name, f->name, f->lsb);
  }
  if (weft_decode(bytes, &back, &err) != WEFT_OK) fail_msg("%s", err.text);
  expect_same(info, insn, &back);
}

static void every_field_round_trips(void **state) {
  (void)state;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  for (; n--; info++)
    for (int i = 0; i < info->n_fields; i++) {
      const weft_field *f = &info->field[i];
      if (is_opcode(f)) continue;
      for (int k = 0; k < 20; k++) {
        weft_insn insn = smallest(info);
        set(&insn, f, k == 0 ? lowest(f) : k == 1 ? highest(f) : any(f));
        round_trip(info, &insn);
      }
    }
}

static void random_instructions_round_trip(void **state) {
  (void)state;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  for (int k = 0; k < 2000; k++) {
    const weft_insn_info *x = &info[k % n];
    weft_insn insn = smallest(x);
    for (int i = 0; i < x->n_fields; i++)
      if (!is_opcode(&x->field[i])) set(&insn, &x->field[i], any(&x->field[i]));
    round_trip(x, &insn);
  }
}

static void fields_are_disjoint_and_opcodes_unique(void **state) {
  (void)state;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  for (int a = 0; a < n; a++) {
    assert_ptr_equal(weft_insn_lookup((uint32_t)info[a].opcode), &info[a]);
    assert_int_equal(weft_insn_unit((uint32_t)info[a].opcode), info[a].unit);
    assert_in_range(info[a].opcode, 1, 63);
    for (int b = 0; b < a; b++) {
      assert_int_not_equal(info[a].opcode, info[b].opcode);
      assert_string_not_equal(info[a].name, info[b].name);
    }
    const weft_field *f = info[a].field;
    uint8_t owner[8 * WEFT_INSN_BYTES] = {0};
    for (int i = 0; i < info[a].n_fields; i++) {
      assert_in_range(f[i].bits, 1, 32);
      assert_in_range(f[i].lsb + f[i].bits, 1, 8 * WEFT_INSN_BYTES);
      assert_true(lowest(&f[i]) <= highest(&f[i]));
      for (int b = f[i].lsb; b < f[i].lsb + f[i].bits; b++) {
        if (owner[b]) fail_msg("%s: bit %d has two fields", info[a].name, b);
        owner[b] = 1;
      }
      for (int j = 0; j < i; j++) {
        assert_string_not_equal(f[i].name, f[j].name);
        assert_true(f[i].offset != f[j].offset);
      }
    }
    /* the header stands where it stands in every instruction */
    const weft_field *end = weft_insn_lookup(WEFT_OP_CODE_END)->field;
    for (int i = 0; i < 3; i++) {
      assert_string_equal(f[i].name, end[i].name);
      assert_int_equal(f[i].lsb, end[i].lsb);
      assert_int_equal(f[i].bits, end[i].bits);
    }
  }
}

static void values_of_a_group_are_unique(void **state) {
  (void)state;
  static const struct {
    const char *group;
    int value;
  } values[] = {
#define WEFT_ENUM(group, name, value, doc) {#group, value},
#include "enums.def"
#undef WEFT_ENUM
  };
  size_t n = sizeof values / sizeof *values;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < a; b++)
      assert_false(strcmp(values[a].group, values[b].group) == 0 &&
                   values[a].value == values[b].value);
}

static void encoder_refuses_out_of_range(void **state) {
  (void)state;
  weft_err err;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  uint8_t out[WEFT_INSN_BYTES], untouched[WEFT_INSN_BYTES];
  memset(untouched, 0x5a, sizeof untouched);
  for (; n--; info++)
    for (int i = 0; i < info->n_fields; i++) {
      const weft_field *f = &info->field[i];
      const int64_t bad[] = {lowest(f) - 1, highest(f) + 1};
      for (int k = 0; k < 2; k++) {
        if (is_opcode(f)) continue;
        if (f->is_signed ? f->bits == 32 : bad[k] < 0 || bad[k] > UINT32_MAX) continue;
        weft_insn insn = smallest(info);
        char name[64];
        set(&insn, f, bad[k]);
        memcpy(out, untouched, sizeof out);
        assert_int_equal(weft_encode(&insn, out, &err), WEFT_EINTERNAL);
        (void)snprintf(name, sizeof name, "%s.%s is %lld,", info->name, f->name, (long long)bad[k]);
        if (!strstr(err.text, name)) fail_msg("'%s' is not in: %s", name, err.text);
        assert_memory_equal(out, untouched, sizeof out);
      }
    }
  weft_insn insn = {.opcode = 0};
  assert_int_equal(weft_encode(&insn, out, &err), WEFT_EINTERNAL);
}

static void decoder_refuses_out_of_range(void **state) {
  (void)state;
  weft_err err;
  int n, tried = 0;
  const weft_insn_info *info = weft_insn_table(&n);
  for (; n--; info++)
    for (int i = 0; i < info->n_fields; i++) {
      const weft_field *f = &info->field[i];
      if (f->is_signed || is_opcode(f)) continue;
      uint32_t all = f->bits == 32 ? UINT32_MAX : ((uint32_t)1 << f->bits) - 1;
      const int64_t bad[] = {(int64_t)f->min - 1, (int64_t)f->max + 1};
      for (int k = 0; k < 2; k++) {
        if (bad[k] < 0 || bad[k] > all) continue;
        weft_insn insn = smallest(info), kept;
        uint8_t bytes[WEFT_INSN_BYTES];
        assert_int_equal(weft_encode(&insn, bytes, &err), WEFT_OK);
        for (int b = 0; b < f->bits; b++) {
          int at = f->lsb + b;
          bytes[at / 8] =
              (uint8_t)((bytes[at / 8] & ~(1 << at % 8)) | (int)(bad[k] >> b & 1) << at % 8);
        }
        memset(&kept, 0x33, sizeof kept);
        insn = kept;
        assert_int_equal(weft_decode(bytes, &insn, &err), WEFT_EDEVICE);
        assert_non_null(strstr(err.text, f->name));
        assert_memory_equal(&insn, &kept, sizeof insn);
        tried++;
      }
    }
  assert_true(tried > 50);
}

static void reserved_bits_are_refused(void **state) {
  (void)state;
  weft_err err;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  for (; n--; info++) {
    const weft_field *last = &info->field[info->n_fields - 1];
    weft_insn insn = smallest(info), back;
    uint8_t bytes[WEFT_INSN_BYTES];
    assert_int_equal(weft_encode(&insn, bytes, &err), WEFT_OK);
    for (int b = last->lsb + last->bits; b < 8 * WEFT_INSN_BYTES; b++) {
      bytes[b / 8] ^= (uint8_t)(1 << b % 8);
      assert_int_equal(weft_decode(bytes, &back, &err), WEFT_EDEVICE);
      char what[32];
      (void)snprintf(what, sizeof what, "reserved bit %d", b);
      assert_non_null(strstr(err.text, what));
      bytes[b / 8] ^= (uint8_t)(1 << b % 8);
    }
    assert_int_equal(weft_decode(bytes, &back, &err), WEFT_OK);
  }
}

static void illegal_opcodes_are_refused(void **state) {
  (void)state;
  weft_err err;
  for (int opcode = 0; opcode < 64; opcode++) {
    if (weft_insn_lookup((uint32_t)opcode)) continue;
    uint8_t bytes[WEFT_INSN_BYTES] = {(uint8_t)opcode};
    weft_insn insn;
    assert_int_equal(weft_decode(bytes, &insn, &err), WEFT_EDEVICE);
    assert_non_null(strstr(err.text, "illegal opcode"));
    assert_int_equal(weft_insn_unit((uint32_t)opcode), WEFT_UNIT_FETCH);
  }
  const uint8_t zeros[WEFT_INSN_BYTES] = {0};
  weft_insn insn;
  assert_int_equal(weft_decode(zeros, &insn, &err), WEFT_EDEVICE);
}

/* Any bytes: either refused, or what they decode to encodes to the same bytes. */
static void random_bytes(void **state) {
  (void)state;
  weft_err err;
  int accepted = 0;
  for (int k = 0; k < 50000; k++) {
    uint8_t bytes[WEFT_INSN_BYTES], again[WEFT_INSN_BYTES];
    weft_insn insn;
    for (int i = 0; i < WEFT_INSN_BYTES; i++) bytes[i] = (uint8_t)random32();
    if (k % 2) { /* more often legal */
      const weft_insn_info *info = weft_insn_lookup(1 + (uint32_t)k / 2 % 9);
      const weft_field *last = &info->field[info->n_fields - 1];
      for (int b = last->lsb + last->bits; b < 8 * WEFT_INSN_BYTES; b++)
        bytes[b / 8] &= (uint8_t) ~(1 << b % 8);
      bytes[0] = (uint8_t)((bytes[0] & 0xc0) | info->opcode);
    }
    if (weft_decode(bytes, &insn, &err) != WEFT_OK) continue;
    accepted++;
    assert_int_equal(weft_encode(&insn, again, &err), WEFT_OK);
    assert_memory_equal(bytes, again, sizeof bytes);
  }
  assert_true(accepted > 1000);
}

static void disassembler_shows_every_field(void **state) {
  (void)state;
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  for (; n--; info++)
    for (int k = 0; k < 50; k++) {
      weft_insn insn = smallest(info);
      for (int i = 1; i < info->n_fields; i++) set(&insn, &info->field[i], any(&info->field[i]));
      char text[4096], part[96];
      size_t length = weft_disasm(&insn, text, sizeof text);
      assert_int_equal(length, strlen(text));
      assert_true(strncmp(text, info->name, strlen(info->name)) == 0);
      for (int i = 3; i < info->n_fields; i++) {
        long long v = (long long)get(&insn, &info->field[i]);
        (void)snprintf(part, sizeof part, " %s=%lld", info->field[i].name, v);
        const char *at = strstr(text, part);
        if (v && (!at || (at[strlen(part)] != ' ' && at[strlen(part)])))
          fail_msg("'%s' is not in: %s", part, text);
      }
      for (int i = 1; i < 3; i++) {
        (void)snprintf(part, sizeof part, " %s=", info->field[i].name);
        const char *at = strstr(text, part);
        assert_int_equal(at != NULL, get(&insn, &info->field[i]) != 0);
        size_t m = at ? strcspn(at + 1, " ") : 0;
        for (int u = 0; at && u < WEFT_UNITS; u++) {
          char list[96] = "";
          memcpy(list, at + 1, m < sizeof list ? m : sizeof list - 1);
          assert_int_equal(strstr(strchr(list, '='), weft_unit_name(u)) != NULL,
                           get(&insn, &info->field[i]) >> u & 1);
        }
      }
      char small[8];
      assert_int_equal(weft_disasm(&insn, small, sizeof small), length);
      assert_memory_equal(small, text, sizeof small - 1 < length ? sizeof small - 1 : length);
      assert_int_equal(weft_disasm(&insn, NULL, 0), length);
    }
  weft_insn insn = {.opcode = 0};
  char text[64];
  (void)weft_disasm(&insn, text, sizeof text);
  assert_string_equal(text, "illegal opcode 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field_round_trips),
      cmocka_unit_test(random_instructions_round_trip),
      cmocka_unit_test(fields_are_disjoint_and_opcodes_unique),
      cmocka_unit_test(values_of_a_group_are_unique),
      cmocka_unit_test(encoder_refuses_out_of_range),
      cmocka_unit_test(decoder_refuses_out_of_range),
      cmocka_unit_test(reserved_bits_are_refused),
      cmocka_unit_test(illegal_opcodes_are_refused),
      cmocka_unit_test(random_bytes),
      cmocka_unit_test(disassembler_shows_every_field),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
