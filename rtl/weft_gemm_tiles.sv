// Weight buffer and tile loader of the GEMM unit.
//
// `first` in cycle t: the tile at weight buffer row `base` is read in cycles t + 1 to t + R, one
// row a cycle. `ready` shows from the cycle of the last row on: a pass may begin in the next cycle.
// `go` says that it does; with `more` the next tile, which lies behind the last one, is read from
// the cycle after `go` on (the array frees its shadow weights with the pass's first pixel). A row
// that is read in cycle u is on the array's upper edge, `w_data` with `w_valid`, in cycle u + 2, as
// late after its address as the activations. `fault`: a row outside of the buffer.
//
// LOAD writes rows of C bytes (ld_mem = MEM_WEIGHT).
module weft_gemm_tiles (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       first,
    input  logic [ weft_pkg::ADDR-1:0] base,
    input  logic                       go,
    input  logic                       more,
    output logic                       ready,
    output logic                       w_valid,
    output logic                       w_first,
    output logic [  8*weft_pkg::C-1:0] w_data,
    output logic                       fault,
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [    weft_pkg::C-1:0] ld_be,
    input  logic [  8*weft_pkg::C-1:0] ld_data
);
  localparam int R = weft_pkg::R;
  localparam int C = weft_pkg::C;
  localparam int ROWS = weft_pkg::CFG_WEIGHT_ROWS;
  localparam int A = $clog2(ROWS);
  localparam int ADDR = weft_pkg::ADDR;
  localparam int RB = $clog2(R);

  logic          loading, loaded;
  logic [RB-1:0] row;
  logic [ADDR:0] addr;
  logic          read;
  assign ready = loaded | (loading & row == RB'(R - 1));
  assign fault = loading & addr >= (ADDR + 1)'(ROWS);
  assign read  = loading & ~fault;

  always_ff @(posedge clk) begin
    if (loading) begin
      addr <= addr + 1'b1;
      row  <= row + 1'b1;
    end
    loaded <= ready & ~go;
    if (ready) loading <= 1'b0;
    if (go & more) loading <= 1'b1;
    if (first) begin
      loading <= 1'b1;
      addr    <= {1'b0, base};
    end
    if (first | rst) row <= '0;
    if (rst) begin
      loading <= 1'b0;
      loaded  <= 1'b0;
    end
  end

  logic [8*C-1:0] read_data;
  weft_ram #(.DEPTH(ROWS), .BYTES(C)) u_weights (
      .clk,
      .we   (ld_be & {C{ld_en & ld_mem == 3'(weft_pkg::MEM_WEIGHT)}}),
      .waddr(ld_addr[A-1:0]),
      .wdata(ld_data),
      .re   (read),
      .raddr(addr[A-1:0]),
      .rdata(read_data)
  );

  logic read_1, first_1;
  always_ff @(posedge clk) begin
    read_1  <= read;
    first_1 <= read & row == '0;
    w_valid <= read_1;
    w_first <= first_1;
    if (read_1) w_data <= read_data;
    if (rst) begin
      read_1  <= 1'b0;
      first_1 <= 1'b0;
      w_valid <= 1'b0;
      w_first <= 1'b0;
    end
  end

  if (A < ADDR) begin : g_unused
    logic unused;  // LOAD has checked the range
    assign unused = &{1'b0, ld_addr[ADDR-1:A]};
  end
endmodule
