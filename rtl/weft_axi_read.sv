// The read side of the AXI port: addresses of the instruction fetch (0) and of LOAD (1) to one
// channel, data back to whom ARID says.
//
// Everything passes through in the same cycle. When both have an address, it goes to the one which
// did not issue the last (fetch if none did yet). An address that memory has not taken yet
// (ARREADY low) stays on the channel, whatever the other requester does; the requester has to keep
// it until `q_ready`. Data are never refused: an address is only asked for when there is room.
module weft_axi_read (
    input  logic                     clk,
    input  logic                     rst,
    input  logic [              1:0] q_valid,
    output logic [              1:0] q_ready,
    input  logic [            127:0] q_addr,
    input  logic [             15:0] q_len,
    output logic                     m_arvalid,
    input  logic                     m_arready,
    output logic [             63:0] m_araddr,
    output logic [              7:0] m_arlen,
    output logic [              0:0] m_arid,
    input  logic                     m_rvalid,
    output logic                     m_rready,
    input  logic [              0:0] m_rid,
    input  logic [weft_pkg::BUS-1:0] m_rdata,
    input  logic                     m_rlast,
    input  logic [              1:0] m_rresp,
    output logic [              1:0] a_valid,
    output logic [weft_pkg::BUS-1:0] a_data,
    output logic                     a_last,
    output logic [              1:0] a_resp
);
  logic last;  // who was granted last; the reset value lets fetch begin
  logic held;  // its address still waits for ARREADY
  logic load;  // this cycle's grant: 0 fetch, 1 LOAD

  assign load      = held ? last : q_valid == 2'b11 ? ~last : q_valid[1];
  assign m_arvalid = |q_valid;
  assign m_araddr  = load ? q_addr[127:64] : q_addr[63:0];
  assign m_arlen   = load ? q_len[15:8] : q_len[7:0];
  assign m_arid    = load;
  assign q_ready   = {load & m_arready, ~load & m_arready};

  always_ff @(posedge clk) begin
    if (rst) begin
      last <= 1'b1;
      held <= 1'b0;
    end else if (m_arvalid) begin
      last <= load;
      held <= ~m_arready;
    end
  end

  assign m_rready = 1'b1;
  assign a_valid  = {m_rvalid & m_rid[0], m_rvalid & ~m_rid[0]};
  assign a_data   = m_rdata;
  assign a_last   = m_rlast;
  assign a_resp   = m_rresp;
endmodule
