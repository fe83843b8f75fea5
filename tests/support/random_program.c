/* Random programs: motifs, placement, memory images, files. Start at random_program_make(), at the
 * end. */
#include "random_program_gen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns: name, instructions, size, the weights of load, flat, store, gemm, dw, vew, vpool, vrow,
 * fence, sums, ring, queue, joined, then chain, {extra, late}, apart. */
static const random_profile profiles[] = {
    {"mixed", 8, 50, 6, 4, 2, 5, 6, 5, 5, 5, 3, 2, 2, 1, 0, 1, 50, {10, 10}, false},
    {"overlap", 20, 60, 6, 3, 2, 6, 6, 6, 3, 3, 2, 0, 1, 0, 0, 2, 15, {0, 0}, true},
    {"chain", 8, 40, 5, 1, 1, 3, 5, 5, 6, 5, 3, 1, 2, 0, 0, 0, 95, {20, 30}, false},
    {"tiny", 20, 60, 1, 5, 2, 6, 8, 6, 8, 6, 4, 1, 2, 0, 1, 0, 40, {20, 10}, false},
    {"dma", 8, 40, 8, 9, 4, 9, 1, 1, 1, 1, 0, 1, 0, 0, 0, 5, 60, {5, 10}, true},
    {"queue", 30, 70, 4, 2, 1, 2, 3, 3, 3, 3, 1, 0, 0, 0, 3, 0, 60, {10, 10}, false},
    {"ring", 15, 60, 5, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 5, 0, 0, 40, {5, 5}, false},
};
enum { PROFILES = sizeof profiles / sizeof *profiles };

int random_profiles(void) {
  return PROFILES;
}

/* --- placement -------------------------------------------------------------------------------- */
/* The words that a unit may use: all, a hot corner where everything meets, or its own banks. */
static void area_of(random_maker *g, int unit, bool write, uint32_t *lo, uint32_t *hi) {
  const weft_config *c = &g->p->cfg;
  const uint32_t bank = weft_bank_words(c), banks = c->scratchpad_banks;
  *lo = 0;
  *hi = weft_spad_words(c);
  if (g->profile->apart && chance(g, 90)) {
    /* LOAD writes where the other units read */
    const int reader = unit == WEFT_UNIT_LOAD ? random_range(&g->r, 1, 4) : unit;
    const uint32_t at = (2 * (uint32_t)reader + (write && unit != WEFT_UNIT_LOAD)) % banks;
    *lo = at * bank;
    *hi = *lo + bank;
  } else if (chance(g, 60)) {
    *hi = least(*hi, 2 * bank);
  }
}

/* Sizes that a bank has room for. */
static void fit(random_maker *g, uint32_t *rows, uint32_t *pixels, uint32_t *words) {
  const uint32_t most = least(weft_bank_words(&g->p->cfg), 300);
  while (*rows * *pixels * *words > most)
    *(*rows > *pixels ? rows : *pixels > 1 ? pixels : words) -= 1;
}

weft_operand random_place(random_maker *g, int unit, bool write, uint32_t *rows, uint32_t *pixels,
                          uint32_t *words) {
  uint32_t lo, hi;
  fit(g, rows, pixels, words);
  area_of(g, unit, write, &lo, &hi);
  weft_operand o = {.pix_stride = *words, .ring_rows = *rows};
  const bool plain = chance(g, 40);
  if (!plain && chance(g, 40)) o.pix_stride += pick(g, 1, 2);
  if (!plain && !write && chance(g, 15)) o.pix_stride = pick(g, 0, *words);
  o.row_stride = (*pixels - 1) * o.pix_stride + *words;
  if (!plain && chance(g, 30)) o.row_stride += pick(g, 1, 5);
  if (!plain && !write && chance(g, 15)) o.row_stride = pick(g, 0, o.row_stride);
  if (!plain && chance(g, 50)) o.ring_rows += pick(g, 0, 3);
  if (!plain && chance(g, 18)) o.ring_rows = pick(g, 1, *rows); /* rows over rows */
  if (!plain) o.ring_start = pick(g, 0, o.ring_rows - 1);
  uint32_t reach = (o.ring_rows - 1) * o.row_stride + (*pixels - 1) * o.pix_stride + *words;
  if (reach > hi - lo) {
    o = (weft_operand){0, *pixels * *words, *words, *rows, 0};
    reach = *rows * *pixels * *words;
  }
  o.base = chance(g, 20) ? hi - reach : pick(g, lo, hi - reach);
  if (chance(g, 25)) o.base = lo;
  const uint32_t bank = weft_bank_words(&g->p->cfg);
  if (chance(g, 15) && lo + bank + reach <= hi) /* across two banks */
    o.base = lo + bank - pick(g, 0, least(reach, bank));
  return o;
}

void random_result(random_maker *g, weft_operand at, uint32_t rows, uint32_t pixels,
                   uint32_t words) {
  g->place[g->n_places++ % RANDOM_PLACES] = (random_tensor_place){at, rows, pixels, words};
}

weft_operand random_input_place(random_maker *g, int unit, uint32_t *rows, uint32_t *pixels,
                                uint32_t *words) {
  if (g->n_places && chance(g, g->profile->chain)) {
    const int known = g->n_places < RANDOM_PLACES ? g->n_places : RANDOM_PLACES;
    const int back = chance(g, 60) ? 1 : random_range(&g->r, 1, known);
    const random_tensor_place *t = &g->place[(g->n_places - back) % RANDOM_PLACES];
    weft_operand a = t->at;
    *rows = least(*rows, t->rows);
    *pixels = least(*pixels, t->pixels);
    *words = least(*words, t->words);
    if (t->rows > *rows && chance(g, 50)) /* lower rows of a ring */
      a.ring_start = (a.ring_start + t->rows - *rows) % a.ring_rows;
    return a;
  }
  *rows = pick(g, 1, *rows);
  *pixels = pick(g, 1, *pixels);
  *words = pick(g, 1, *words);
  return random_place(g, unit, false, rows, pixels, words);
}

/* --- instructions ----------------------------------------------------------------------------- */
weft_insn random_blank(int opcode) {
  weft_insn x;
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  memset(&x, 0, sizeof x);
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    const uint32_t v = f->is_signed ? 0 : f->min;
    memcpy((char *)&x + f->offset, &v, sizeof v);
  }
  x.opcode = (uint32_t)opcode;
  return x;
}

bool random_emit(random_maker *g, weft_insn *insn) {
  random_program *p = g->p;
  if ((insn->opcode == WEFT_OP_CODE_DW && !p->cfg.dw_lanes) ||
      (insn->opcode == WEFT_OP_CODE_VROW && !p->cfg.vec_softmax))
    return false;
  for (int fills = 0; fills < 16; fills++) {
    const random_obstacle x = random_order_look(g->order, insn);
    if (x.overlap || x.sums) return false;
    if (x.memory < 0) break;
    if (!random_fill_memory(g, x.memory, x.first, x.last)) return false;
  }
  if (p->n >= PROGRAM_INSNS - 1) return false; /* END */
  p->insn[p->n] = *insn;
  return random_order_add(g->order, &g->r, g->profile->tokens);
}

/* --- motifs ----------------------------------------------------------------------------------- */
static void fence(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_FENCE);
  x.wait = pick(g, 0, 31); /* which it ignores */
  x.post = pick(g, 0, 31);
  (void)random_emit(g, &x);
}

/* More instructions of one unit than its queue holds, the first of them long. */
static void full_queue(random_maker *g) {
  static void (*const one[])(random_maker *) = {random_load, random_store, random_gemm, random_dw,
                                                random_vew,  random_vpool, random_vrow};
  static const random_profile tiny = {.name = "tiny", .size = 1, .chain = 100};
  const random_profile *whole = g->profile;
  const int which = random_range(&g->r, 0, 6);
  const int n = (int)g->p->cfg.queue_depth + random_range(&g->r, 1, 12);
  for (int i = 0; i < n; i++) {
    one[which](g);
    g->profile = chance(g, 85) ? &tiny : whole;
  }
  g->profile = whole;
}

/* Rows stream through a ring: LOAD brings one, a window operation reads the last `height` of them,
 * STORE takes the result away. */
static void ring_loop(random_maker *g) {
  const uint32_t height = pick(g, 1, 3), ring = height + pick(g, 0, 2);
  const uint32_t n = pick(g, ring, ring + 5), words = pick(g, 1, 2), pixels = pick(g, 2, 6);
  uint32_t rows = ring, one = 1, w = pixels, c = words, w2 = pixels, c2 = words;
  weft_operand in = random_place(g, WEFT_UNIT_VEC, false, &rows, &w, &c);
  weft_operand out = random_place(g, WEFT_UNIT_VEC, true, &one, &w2, &c2);
  if (rows != ring || w != pixels || c != words || w2 != pixels || c2 != words) return;
  in = (weft_operand){in.base, pixels * words, words, ring, 0};
  if (in.base + ring * pixels * words > weft_spad_words(&g->p->cfg)) in.base = 0;
  const uint32_t row = pixels * words * g->w;
  for (uint32_t y = 0; y < n; y++) {
    weft_insn load = random_blank(WEFT_OP_CODE_LOAD);
    load.LOAD.region = 1;
    load.LOAD.offset = y * row;
    load.LOAD.pixels = pixels;
    load.LOAD.pix_bytes = load.LOAD.d_pix_stride = words * g->w;
    load.LOAD.row_bytes = row;
    in.ring_start = y % ring;
    WEFT_SET_OPERAND(load.LOAD, o, in);
    if (!random_emit(g, &load)) return;
    if (y + 1 < height) continue;
    weft_insn pool = random_blank(WEFT_OP_CODE_VPOOL);
    pool.VPOOL.clamp_min = -128;
    pool.VPOOL.clamp_max = 127;
    in.ring_start = (y + 1 - height) % ring;
    WEFT_SET_OPERAND(pool.VPOOL, a, in);
    WEFT_SET_OPERAND(pool.VPOOL, o, out);
    pool.VPOOL.op = pick(g, 0, 1);
    pool.VPOOL.in_h = pool.VPOOL.kh = height;
    pool.VPOOL.in_w = pool.VPOOL.out_w = pixels;
    pool.VPOOL.c_words = words;
    if (!random_emit(g, &pool)) return;
    weft_insn store = random_blank(WEFT_OP_CODE_STORE);
    store.STORE.region = 2;
    store.STORE.offset = y * row + 3;
    store.STORE.pixels = pixels;
    store.STORE.pix_bytes = store.STORE.d_pix_stride = words * g->w;
    WEFT_SET_OPERAND(store.STORE, a, out);
    if (!random_emit(g, &store)) return;
  }
}

static void motif(random_maker *g) {
  const random_profile *f = g->profile;
  const struct {
    int weight;
    void (*make)(random_maker *);
  } choice[] = {{f->load, random_load},    {f->flat, random_flat}, {f->store, random_store},
                {f->gemm, random_gemm},    {f->dw, random_dw},     {f->vew, random_vew},
                {f->vpool, random_vpool},  {f->vrow, random_vrow}, {f->fence, fence},
                {f->sums, random_sums},    {f->ring, ring_loop},   {f->queue, full_queue},
                {f->joined, random_joined}};
  enum { CHOICES = sizeof choice / sizeof *choice };
  int sum = 0, i = 0;
  for (int k = 0; k < CHOICES; k++) sum += choice[k].weight;
  int at = random_range(&g->r, 0, sum - 1);
  while (at >= choice[i].weight) at -= choice[i++].weight;
  choice[i].make(g);
}

static random_maker begin(random_program *p, const weft_config *cfg, uint64_t seed) {
  memset(p, 0, sizeof *p);
  p->cfg = *cfg;
  p->seed = seed;
  random_maker g = {.p = p, .r = {seed * 0x2545f4914f6cdd1du + 1}, .w = weft_word_bytes(cfg)};
  g.order = random_order_new(p);
  return g;
}

static void finish(random_maker *g, const char *name) {
  random_program *p = g->p;
  p->profile = name;
  weft_insn end = random_blank(WEFT_OP_CODE_END);
  end.wait = pick(g, 0, 31); /* which it ignores */
  end.post = pick(g, 0, 31);
  p->insn[p->n] = end;
  (void)random_order_add(g->order, &g->r, (random_tokens){0});
  random_order_free(g->order);
}

void random_program_make(random_program *p, const weft_config *cfg, uint64_t seed, int profile) {
  random_maker g = begin(p, cfg, seed);
  g.profile = &profiles[profile < 0 ? (int)(random_next(&g.r) % PROFILES) : profile];
  p->offset = 256 * pick(&g, 0, 3);
  const int n = random_range(&g.r, g.profile->insns_lo, g.profile->insns_hi);
  for (int tries = 0; p->n < n && tries < 4 * n; tries++) motif(&g);
  finish(&g, g.profile->name);
}

void random_program_build(random_program *p, const weft_config *cfg, uint64_t seed,
                          const char *name, void (*build)(random_maker *g, int variant),
                          int variant) {
  static const random_profile plain = {.name = "directed", .size = 4};
  random_maker g = begin(p, cfg, seed);
  g.profile = &plain;
  build(&g, variant);
  finish(&g, name);
}

/* --- memory images ---------------------------------------------------------------------------- */
static void put32(uint8_t *to, uint32_t v) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(v >> 8 * i);
}

/* One channel: sums of some thousands become codes; now and then the limits of every field. */
static void make_param(random_source *r, uint8_t *to) {
  memset(to, 0, WEFT_PARAM_BYTES);
  uint32_t bias = (uint32_t)random_range(r, -20000, 20000);
  uint32_t mult = (uint32_t)random_next(r) | 0x40000000u; /* bit 31 is ignored */
  int shift = random_range(r, -12, -4);
  if (random_chance(r, 6)) bias = random_chance(r, 50) ? 0x7fffffffu : 0x80000000u;
  if (random_chance(r, 6)) mult = random_chance(r, 50) ? 0x7fffffffu : 0;
  if (random_chance(r, 10)) shift = random_range(r, -128, 127);
  put32(to, bias);
  put32(to + 4, mult);
  to[8] = (uint8_t)shift;
}

/* Exponents as a compiler makes them: falling from one, quickly or slowly. */
static void make_exps(uint8_t *to, int which) {
  static const uint32_t keep[PROGRAM_N_EXPS] = {65536, 63000, 50000, 20000}; /* / 2^16 each step */
  uint64_t v = 0x7fffffff;
  for (int i = 0; i < 256; i++) {
    put32(to + 4 * i, (uint32_t)v);
    v = v * keep[which] >> 16;
  }
}

static void make_images(uint64_t seed, uint8_t *constants, uint8_t *arena) {
  enum { PIECE = 512 }; /* random_codes() chooses a kind of bytes for each */
  random_source r = {seed ^ 0x5eed5eed5eed5eedu};
  for (size_t i = 0; i < PROGRAM_CONSTANTS; i += PIECE)
    random_codes(&r, constants + i, PIECE, (uint8_t)random_next(&r));
  for (size_t i = 0; i < PROGRAM_ARENA; i += PIECE) random_codes(&r, arena + i, PIECE, 0);
  for (size_t i = PROGRAM_PARAMS; i + WEFT_PARAM_BYTES <= PROGRAM_EXPS; i += WEFT_PARAM_BYTES)
    make_param(&r, constants + i);
  for (int i = 0; i < PROGRAM_N_EXPS; i++)
    make_exps(constants + PROGRAM_EXPS + (size_t)i * WEFT_EXP_BYTES, i);
}

random_job *random_job_new(const random_program *p) {
  random_job *x = calloc(1, sizeof *x);
  weft_err err = {""};
  if (!x) abort();
  memset(x->code, 0xff, p->offset);
  for (int i = 0; i < p->n; i++)
    if (weft_encode(&p->insn[i], x->code + p->offset + (size_t)i * WEFT_INSN_BYTES, &err)) {
      fprintf(stderr, "seed %llu: instruction %d: %s\n", (unsigned long long)p->seed, i, err.text);
      abort();
    }
  make_images(p->seed, x->constants, x->arena);
  x->job = (device_job){.cfg = &p->cfg,
                        .code = x->code,
                        .code_bytes = p->offset + (size_t)p->n * WEFT_INSN_BYTES,
                        .offset = p->offset,
                        .count = (uint32_t)p->n,
                        .constants = x->constants,
                        .constant_bytes = PROGRAM_CONSTANTS,
                        .arena = x->arena,
                        .arena_bytes = PROGRAM_ARENA,
                        .watchdog = 500000};
  return x;
}

/* --- to read, and files ----------------------------------------------------------------------- */
void random_program_print(const random_program *p) {
  char line[600];
  for (int i = 0; i < p->n; i++) {
    (void)weft_disasm(&p->insn[i], line, sizeof line);
    fprintf(stderr, "%4d  %s\n", i, line);
  }
}

typedef struct {
  char magic[8];
  weft_config cfg;
  uint64_t seed;
  uint32_t n, offset;
} file_head;
static const char magic[8] = "WEFTRP1";

bool random_program_save(const random_program *p, const char *path) {
  FILE *f = fopen(path, "wb");
  if (!f) return false;
  file_head head = {.cfg = p->cfg, .seed = p->seed, .n = (uint32_t)p->n, .offset = p->offset};
  memcpy(head.magic, magic, sizeof magic);
  bool ok = fwrite(&head, sizeof head, 1, f) == 1;
  for (int i = 0; i < p->n && ok; i++) {
    uint8_t bytes[WEFT_INSN_BYTES];
    ok = weft_encode(&p->insn[i], bytes, NULL) == WEFT_OK && fwrite(bytes, sizeof bytes, 1, f) == 1;
  }
  return fclose(f) == 0 && ok;
}

bool random_program_read(random_program *p, const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  file_head head;
  bool ok = fread(&head, sizeof head, 1, f) == 1 && memcmp(head.magic, magic, sizeof magic) == 0 &&
            head.n > 0 && head.n <= PROGRAM_INSNS && head.offset <= 768;
  memset(p, 0, sizeof *p);
  if (ok) {
    *p = (random_program){.cfg = head.cfg, .seed = head.seed, .profile = "file"};
    p->cfg.preset[sizeof p->cfg.preset - 1] = '\0';
    p->n = (int)head.n;
    p->offset = head.offset;
  }
  for (int i = 0; ok && i < p->n; i++) {
    uint8_t bytes[WEFT_INSN_BYTES];
    ok = fread(bytes, sizeof bytes, 1, f) == 1 && weft_decode(bytes, &p->insn[i], NULL) == WEFT_OK;
  }
  (void)fclose(f);
  return ok;
}
