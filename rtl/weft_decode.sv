// Which unit an instruction belongs to, and whether its encoding is legal: known opcode, reserved
// bits zero, fields in range (generated from arch/isa.def). Combinational. What depends on the
// configuration (addresses, features that it lacks) is checked by the unit, which reports a fault.
module weft_decode (
    input  logic [weft_pkg::INSN-1:0] insn,
    output logic                      legal,
    output logic [               2:0] unit
);
  `include "weft_legal.vh"

  logic unused;
  assign unused = &insn[15:6];  // wait and post: any
endmodule
