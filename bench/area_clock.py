#!/usr/bin/env python3
"""Puts a global clock buffer (DCCA) behind the port clk of Yosys' netlist of weft_top.

A design without pins gets none from nextpnr-ecp5, and the clock would go through general routing.
Attributes and names of hidden nets are dropped: they are most of the file.

Usage: area_clock.py FILE.json
"""
import json
import sys

CLOCK = 99999999  # a net's number that Yosys does not use

with open(sys.argv[1], encoding="utf-8") as file:
    top = json.load(file)["modules"]["weft_top"]
top["netnames"] = {name: net for name, net in top["netnames"].items() if not net["hide_name"]}
port = top["ports"]["clk"]["bits"][0]
for cell in top["cells"].values():
    cell["attributes"] = {}
    for name, bits in cell["connections"].items():
        if port in bits:
            cell["connections"][name] = [CLOCK if bit == port else bit for bit in bits]
top["cells"]["clock_buffer"] = {
    "hide_name": 0,
    "type": "DCCA",
    "parameters": {},
    "attributes": {},
    "port_directions": {"CLKI": "input", "CE": "input", "CLKO": "output"},
    "connections": {"CLKI": [port], "CE": ["1"], "CLKO": [CLOCK]},
}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"modules": {"weft_top": top}}, file)
