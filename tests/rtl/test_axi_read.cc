// weft_axi_read: who is granted, that no address is lost, doubled or changed while it waits, and
// that data go to whom they belong, under random requests, ARREADY and responses.
#include "bench.h"

namespace {
using namespace bench;

struct Request {
  uint64_t addr;
  uint8_t len;
  bool operator==(const Request &o) const { return addr == o.addr && len == o.len; }
};

// One stretch with fixed probabilities (in 1/16) of a request by each and of ARREADY.
void stretch(Vtb &top, unsigned ask0, unsigned ask1, unsigned ready, int cycles) {
  Request now[2] = {};
  bool valid[2] = {false, false}, held = false, none_yet = true;
  int last = 0, granted[2] = {0, 0};
  Request held_request = {};
  int held_id = 0;
  uint64_t next = 0;
  top.q_valid = 0;
  reset(top);
  for (int t = 0; t < cycles; t++) {
    const unsigned ask[2] = {ask0, ask1};
    for (int i = 0; i < 2; i++)
      if (!valid[i] && random32() % 16 < ask[i]) {
        valid[i] = true;
        now[i] = {(uint64_t)random32() << 32 | next++, (uint8_t)random32()};
      }
    top.q_valid = (uint8_t)(valid[0] | valid[1] << 1);
    for (int i = 0; i < 2; i++) {
      top.q_addr[2 * i] = (uint32_t)now[i].addr;
      top.q_addr[2 * i + 1] = (uint32_t)(now[i].addr >> 32);
    }
    top.q_len = (uint16_t)(now[0].len | now[1].len << 8);
    top.m_arready = random32() % 16 < ready;
    top.m_rvalid = random32() & 1;
    top.m_rid = random32() & 1;
    top.m_rlast = random32() & 1;
    top.m_rresp = random32() & 3;
    uint32_t data = random32();
    put(top.m_rdata, &data, sizeof data);
    settle(top);

    assert_int_equal(top.m_arvalid, valid[0] || valid[1]);
    if (top.m_arvalid) {
      int id = top.m_arid;
      Request seen = {top.m_araddr, top.m_arlen};
      assert_true(valid[id]);
      assert_true(seen == now[id]);
      if (held) {
        assert_int_equal(id, held_id);
        assert_true(seen == held_request);
      } else if (valid[0] && valid[1]) {
        assert_int_equal(id, none_yet ? 0 : !last);
      }
      assert_int_equal(top.q_ready, top.m_arready ? 1 << id : 0);
      if (top.m_arready) {
        valid[id] = false;
        last = id;
        none_yet = false;
        granted[id]++;
      }
      held = !top.m_arready;
      held_request = seen;
      held_id = id;
    }
    assert_int_equal(top.m_rready, 1);
    assert_int_equal(top.a_valid, top.m_rvalid ? 1 << top.m_rid : 0);
    assert_int_equal(top.a_last, top.m_rlast);
    assert_int_equal(top.a_resp, top.m_rresp);
    uint32_t seen_data;
    get(top.a_data, &seen_data, sizeof seen_data);
    assert_int_equal(seen_data, data);
    edge(top);
  }
  if (ask0 == 16 && ask1 == 16) assert_in_range(abs(granted[0] - granted[1]), 0, 1);
}

void random_requests(void **) {
  Vtb top;
  stretch(top, 16, 16, 16, 2000);
  stretch(top, 16, 16, 5, 2000);
  for (int i = 0; i < 200 * count(); i++) stretch(top, below(17), below(17), 1 + below(16), 500);
}
} // namespace

int main() {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_requests)};
  return cmocka_run_group_tests_name("rtl axi_read " PRESET, tests, nullptr, nullptr);
}
