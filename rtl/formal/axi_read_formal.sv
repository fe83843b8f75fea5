// Properties of weft_axi_read (tests/rtl/prove.sh): requesters that keep an address until it is
// taken, a memory that takes addresses when it likes. AXI: what is presented stays until ARREADY.
// No address is lost or doubled: each handshake of a requester is one of the port's, with the same
// payload. Neither waits for more than one address of the other.
module axi_read_formal (
    input logic         clk,
    input logic         rst,
    input logic [  1:0] q_valid,
    input logic [127:0] q_addr,
    input logic [ 15:0] q_len,
    input logic         m_arready,
    input logic         m_rvalid,
    input logic [  0:0] m_rid
);
  logic [1:0] q_ready, a_valid, a_resp;
  logic m_arvalid, m_rready, a_last;
  logic [63:0] m_araddr;
  logic [7:0] m_arlen;
  logic [0:0] m_arid;
  logic [weft_pkg::BUS-1:0] a_data;

  weft_axi_read read (
      .clk,
      .rst,
      .q_valid,
      .q_ready,
      .q_addr,
      .q_len,
      .m_arvalid,
      .m_arready,
      .m_araddr,
      .m_arlen,
      .m_arid,
      .m_rvalid,
      .m_rready,
      .m_rid,
      .m_rdata('0),
      .m_rlast(1'b0),
      .m_rresp(2'b00),
      .a_valid,
      .a_data,
      .a_last,
      .a_resp
  );

  logic [1:0] taken;
  assign taken = q_valid & q_ready;
  logic past = 1'b0, past_rst;
  logic [1:0] past_valid, past_taken;
  logic [127:0] past_addr;
  logic [15:0] past_len;
  logic was_open, any_yet, last_id, past_id;  // presented, not taken; whose was taken last
  logic [63:0] was_addr;
  logic [7:0] was_len;
  logic [1:0] passed0, passed1;  // addresses of the other taken while this one waited

  always_ff @(posedge clk) begin
    past       <= 1'b1;
    past_rst   <= rst;
    past_valid <= q_valid;
    past_taken <= taken;
    past_addr  <= q_addr;
    past_len   <= q_len;
    was_open   <= m_arvalid & ~m_arready & ~rst;
    was_addr   <= m_araddr;
    was_len    <= m_arlen;
    past_id    <= m_arid;
    if (rst) any_yet <= 1'b0;
    else if (m_arvalid & m_arready) any_yet <= 1'b1;
    if (m_arvalid & m_arready) last_id <= m_arid;
    if (rst | taken[0] | ~q_valid[0]) passed0 <= '0;
    else if (taken[1]) passed0 <= passed0 + 1'b1;
    if (rst | taken[1] | ~q_valid[1]) passed1 <= '0;
    else if (taken[0]) passed1 <= passed1 + 1'b1;
  end

  always @* if (!past) assume (rst);
  for (genvar i = 0; i < 2; i++) begin : gen_requester
    always @* begin
      if (past && !past_rst && past_valid[i] && !past_taken[i]) begin
        assume (q_valid[i]);
        assume (q_addr[64*i+:64] == past_addr[64*i+:64]);
        assume (q_len[8*i+:8] == past_len[8*i+:8]);
      end
    end
  end
  (* anyconst *) logic who;  // a requester, any
  always @* begin
    if (past && !past_rst) begin
      if (taken[who]) begin
        p_passed_on : assert (m_arvalid && m_arready && m_arid == who);
        p_same :
        assert (m_araddr == (who ? q_addr[127:64] : q_addr[63:0]) &&
                m_arlen == (who ? q_len[15:8] : q_len[7:0]));
      end
      if (was_open) begin
        p_valid_stays : assert (m_arvalid);
        p_payload_stays :
        assert (m_araddr == was_addr && m_arlen == was_len && m_arid == past_id);
      end
      p_not_doubled : assert (taken != 2'b11);
      p_not_made_up : assert (m_arvalid == (q_valid != '0));
      p_not_lost : assert ((m_arvalid && m_arready) == (taken != '0));
      if (q_valid == 2'b11 && !was_open) p_turns : assert (m_arid == (any_yet ? ~last_id : 1'b0));
      p_fair : assert (passed0 <= 2'd1 && passed1 <= 2'd1);
      p_data : assert (m_rready && a_valid == {m_rvalid && m_rid[0], m_rvalid && !m_rid[0]});
      p_reached :
      cover (was_open && m_arready && q_valid == 2'b11 && any_yet && past_id == last_id);
    end
  end
endmodule
