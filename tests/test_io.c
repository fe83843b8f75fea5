/* File input and output of the command line: npy and label files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "npy.h"
#include "support/folder.h"

/* --- npy -------------------------------------------------------------------------------------- */

static void test_npy_round_trip(void **state) {
  (void)state;
  static const weft_dtype types[] = {WEFT_INT8,  WEFT_UINT8,   WEFT_INT16, WEFT_INT32,
                                     WEFT_INT64, WEFT_FLOAT32, WEFT_BOOL};
  uint8_t values[24 * 8];
  for (size_t i = 0; i < sizeof values; i++) values[i] = (uint8_t)(i * 37);
  for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
    for (int rank = 0; rank <= WEFT_MAX_RANK; rank++) {
      weft_tensor t = {.dtype = types[k], .rank = rank, .data = values}, back = {0};
      for (int d = 0; d < rank; d++) t.dim[d] = d == 0 ? 3 : d == rank - 1 ? 4 : d == 1 ? 2 : 1;
      if (types[k] == WEFT_BOOL)
        for (size_t i = 0; i < sizeof values; i++) values[i] = i % 3 == 0;
      weft_err err = {""};
      if (weft_npy_save(in_folder("t.npy"), &t, &err)) fail_msg("%s", err.text);
      if (weft_npy_load(in_folder("t.npy"), &back, &err)) fail_msg("%s", err.text);
      assert_int_equal(back.dtype, t.dtype);
      assert_int_equal(back.rank, t.rank);
      assert_memory_equal(back.dim, t.dim, sizeof t.dim[0] * (size_t)rank);
      assert_memory_equal(back.data, values, weft_tensor_bytes(&t));
      free(back.data);
      size_t n;
      uint8_t *bytes = read_file("t.npy", &n);
      assert_int_equal((n - weft_tensor_bytes(&t)) % 64, 0);
      assert_int_equal(bytes[n - weft_tensor_bytes(&t) - 1], '\n');
      free(bytes);
    }
  assert_int_equal(files_in_folder(), 1); /* no temporary file stays */
}

/* A file of version `version` with this header text and `data` bytes of zeros. */
static weft_status npy(int version, const char *header, size_t data, weft_tensor *t,
                       weft_err *err) {
  uint8_t bytes[1024] = "\x93NUMPY";
  size_t n = strlen(header), at = version > 1 ? 12 : 10;
  bytes[6] = (uint8_t)version;
  bytes[8] = (uint8_t)n;
  bytes[9] = (uint8_t)(n >> 8);
  memcpy(bytes + at, header, n);
  write_file("h.npy", bytes, at + n + data);
  return weft_npy_load(in_folder("h.npy"), t, err);
}

static void test_npy_headers(void **state) {
  (void)state;
  weft_tensor t = {0};
  weft_err err = {""};
  assert_int_equal(npy(1, "{'descr':'<f4','fortran_order':False,'shape':(2,3)}", 24, &t, &err), 0);
  assert_int_equal(t.rank, 2);
  assert_int_equal(t.dim[1], 3);
  free(t.data);
  assert_int_equal(
      npy(2, "{\"shape\": (5,), \"descr\": \"|i1\", \"fortran_order\": False, }\n", 5, &t, &err),
      0);
  free(t.data);
  assert_int_equal(npy(3, "{'shape': (0, 7), 'fortran_order': False, 'descr': '<i8'}", 0, &t, &err),
                   0);
  assert_int_equal(weft_tensor_elements(&t), 0);
  free(t.data);

  static const struct {
    int version;
    const char *header;
    size_t data;
    const char *what;
  } bad[] = {
      {4, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)}", 1, "version 4"},
      {1, "{'descr': '>i4', 'fortran_order': False, 'shape': (1,)}", 4, "npy type '>i4'"},
      {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 8, "npy type '<f8'"},
      {1, "{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", 4, "plain"},
      {1, "{'descr': '|i1', 'fortran_order': True, 'shape': (1,)}", 1, "Fortran order"},
      {1, "{'descr': '|i1', 'fortran_order': 7, 'shape': (1,)}", 1, "not a bool"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", 1, "1 data bytes"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", 3, "3 data bytes"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (-2,)}", 2, "npy shape"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999,)}", 2, "npy shape"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (65536, 65536)}", 2, "npy shape"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 1, "rank <= 8"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1", 0, "npy shape"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)", 0, "broken at"},
      {1, "{'descr': '|i1', 'fortran_order': False}", 0, "incomplete"},
      {1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)} x", 1, "followed by"},
      {1, "{'descr': '|i1', 'colour': False, 'shape': (1,)}", 1, "unknown key 'colour'"},
      {1, "{'descr", 0, "no key"},
      {1, "[]", 0, "not a dict"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    weft_tensor untouched = {.rank = 77};
    expect_error(npy(bad[i].version, bad[i].header, bad[i].data, &untouched, &err), &err,
                 bad[i].what);
    assert_int_equal(untouched.rank, 77);
  }
  write_file("e.npy", "", 0);
  expect_error(weft_npy_load(in_folder("e.npy"), &t, &err), &err, "not an npy");
  write_file("e.npy", "\x93NUMPY\x01\x00\xff\xff{", 11);
  expect_error(weft_npy_load(in_folder("e.npy"), &t, &err), &err, "ends in its header");
  write_file("e.npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13);
  expect_error(weft_npy_load(in_folder("e.npy"), &t, &err), &err, "header of 4294967295 bytes");
  expect_error(weft_npy_load(in_folder("none.npy"), &t, &err), &err, "No such file");
  expect_error(weft_npy_load(in_folder(""), &t, &err), &err, "not a regular file");
  t = (weft_tensor){.dtype = WEFT_INT8, .rank = 0, .data = "x"};
  expect_error(weft_npy_save(in_folder("none/t.npy"), &t, &err), &err, "cannot create");
}

/* --- labels ----------------------------------------------------------------------------------- */

static void test_labels(void **state) {
  (void)state;
  weft_labels labels = {0};
  weft_err err = {""};
  const char *text = "\xef\xbb\xbf"
                     "background\r\n tench, Tinca \n\nshark\n\n  \n";
  write_file("l.txt", text, strlen(text));
  if (weft_labels_load(in_folder("l.txt"), &labels, &err)) fail_msg("%s", err.text);
  assert_int_equal(labels.n, 4);
  assert_string_equal(weft_label(&labels, 0), "background");
  assert_string_equal(weft_label(&labels, 1), "tench, Tinca");
  assert_string_equal(weft_label(&labels, 2), "");
  assert_string_equal(weft_label(&labels, 3), "shark");
  assert_string_equal(weft_label(&labels, 4), "");
  assert_string_equal(weft_label(&labels, -1), "");
  weft_labels_free(&labels);
  write_file("l.txt", "no newline", 10);
  assert_int_equal(weft_labels_load(in_folder("l.txt"), &labels, &err), WEFT_OK);
  assert_string_equal(weft_label(&labels, 0), "no newline");
  weft_labels_free(&labels);

  write_file("l.txt", "\n \n", 3);
  expect_error(weft_labels_load(in_folder("l.txt"), &labels, &err), &err, "holds no label");
  write_file("l.txt", "a\nb\0c\n", 6);
  expect_error(weft_labels_load(in_folder("l.txt"), &labels, &err), &err, "line 2 has a NUL");
  char longer[5000];
  memset(longer, 'x', sizeof longer);
  write_file("l.txt", longer, sizeof longer);
  expect_error(weft_labels_load(in_folder("l.txt"), &labels, &err), &err, "line 1 is longer");
  expect_error(weft_labels_load(in_folder("none.txt"), &labels, &err), &err, "No such file");
  expect_error(weft_labels_load(folder_path(), &labels, &err), &err, "not a file");
  assert_null(labels.name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_npy_round_trip),
      cmocka_unit_test(test_npy_headers),
      cmocka_unit_test(test_labels),
  };
  return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
