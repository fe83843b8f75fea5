/* Instructions in C: structs, encoder, decoder, disassembler, all expanded from isa.def.
 *
 * Read isa.def first. A decoded instruction is a `weft_insn`: its opcode, its header and one struct
 * per instruction in a union, a 32-bit member per field. */
#ifndef WEFT_ISA_H
#define WEFT_ISA_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { WEFT_ISA_VERSION = 1, WEFT_INSN_BYTES = 64, WEFT_UNITS = 5 };

enum {
#define WEFT_ENUM(group, name, value, doc) WEFT_##group##_##name = value,
#include "enums.def"
#undef WEFT_ENUM
};

/* Opcodes. */
typedef enum {
#define WEFT_INSN(name, opcode, unit, doc) WEFT_OP_CODE_##name = opcode,
#define WEFT_U(name, field, bits, min, max, doc)
#define WEFT_S(name, field, bits, doc)
#define WEFT_END(name)
#include "isa.def"
} weft_insn_code;

/* One struct per instruction: weft_insn_GEMM, ... */
#define WEFT_INSN(name, opcode, unit, doc) typedef struct {
#define WEFT_H(name, field, bits, min, max, doc) /* lives in weft_insn */
#define WEFT_U(name, field, bits, min, max, doc) uint32_t field;
#define WEFT_S(name, field, bits, doc) int32_t field;
#define WEFT_END(name)                                                                             \
  char no_more_fields; /* END and FENCE have none */                                               \
  }                                                                                                \
  weft_insn_##name;
#include "isa.def"

/* The fields by which every scratchpad operand is described; the operand's fields in an instruction
 * stand in this order, so that WEFT_OPERAND_OF(insn.GEMM, a) can name it as one. */
typedef struct {
  uint32_t base, row_stride, pix_stride, ring_rows, ring_start;
} weft_operand;
#define WEFT_OPERAND_OF(s, p)                                                                      \
  ((weft_operand){(s).p##_base, (s).p##_row_stride, (s).p##_pix_stride, (s).p##_ring_rows,         \
                  (s).p##_ring_start})
#define WEFT_SET_OPERAND(s, p, v)                                                                  \
  ((s).p##_base = (v).base, (s).p##_row_stride = (v).row_stride,                                   \
   (s).p##_pix_stride = (v).pix_stride, (s).p##_ring_rows = (v).ring_rows,                         \
   (s).p##_ring_start = (v).ring_start)

typedef struct {
  uint32_t opcode; /* weft_insn_code */
  uint32_t wait;   /* bit u: a token from unit u */
  uint32_t post;   /* bit u: a token for unit u */
  union {
    weft_insn_END END;
    weft_insn_FENCE FENCE;
    weft_insn_LOAD LOAD;
    weft_insn_STORE STORE;
    weft_insn_GEMM GEMM;
    weft_insn_DW DW;
    weft_insn_VEW VEW;
    weft_insn_VPOOL VPOOL;
    weft_insn_VROW VROW;
  };
} weft_insn;

/* A field as data, for generic walks (disassembler, documentation, tests). */
typedef struct {
  const char *name;
  int lsb, bits;
  int is_signed;
  uint32_t min, max; /* unsigned fields: accepted range, max already resolved */
  size_t offset;     /* of the member in weft_insn */
  const char *doc;
} weft_field;

typedef struct {
  const char *name;
  int opcode;
  int unit; /* WEFT_UNIT_* */
  const char *doc;
  int n_fields;
  const weft_field *field; /* header fields first */
} weft_insn_info;

/* The table of all instructions, in the order of isa.def. */
const weft_insn_info *weft_insn_table(int *count);
/* The entry of an opcode, or NULL for an illegal one. */
const weft_insn_info *weft_insn_lookup(uint32_t opcode);

/* Encodes `insn` into 64 bytes. Fails (WEFT_EINTERNAL, naming instruction, field, value and range)
 * when a field is out of its range; `out` is then untouched. */
weft_status weft_encode(const weft_insn *insn, uint8_t out[WEFT_INSN_BYTES], weft_err *err);
/* Decodes 64 bytes. Fails (WEFT_EDEVICE, naming what was found) on an illegal opcode, a field out
 * of its range, or bits set that no field owns. */
weft_status weft_decode(const uint8_t in[WEFT_INSN_BYTES], weft_insn *insn, weft_err *err);
/* Writes one line of assembly, "GEMM wait=LOAD post=DW,STORE a_base=0 ...", into buf. Fields that
 * are zero are left out. Returns the length that the whole line needs. */
size_t weft_disasm(const weft_insn *insn, char *buf, size_t size);
/* The unit of an opcode (WEFT_UNIT_*). */
int weft_insn_unit(uint32_t opcode);
/* "LOAD", "GEMM", ... */
const char *weft_unit_name(int unit);

#endif
