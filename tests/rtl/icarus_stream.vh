// In a bench of a module with a stream of results: the clock, `tick`, and what comes out compared
// with what is expected, in order. The bench says what `clk`, `rst`, `out_valid`, `out`, `expected`
// and the task `idle` are.
always #5 clk = ~clk;
integer sent = 0, seen = 0, errors = 0, seed = 1;

always @(negedge clk)
  if (rst === 1'b0) begin
    if (out_valid === 1'bx) begin
      errors = errors + 1;
      $display("out_valid is X");
    end
    if (out_valid === 1'b1) begin
      if (out !== expected[seen]) begin
        errors = errors + 1;
        $display("result %0d: %h, expected %h", seen, out, expected[seen]);
      end
      seen = seen + 1;
    end
  end

// Inputs change after the edge.
task tick;
  begin
    @(posedge clk);
    #1 idle;
  end
endtask

task reset;
  begin
    idle;
    rst = 1'b1;
    tick;
    tick;
    rst = 1'b0;
  end
endtask
