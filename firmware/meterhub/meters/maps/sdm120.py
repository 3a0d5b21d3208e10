"""The registers of the Eastron SDM120, in the format of meters/modbus_map.py."""

TEXT = """
{
 "meter": "Eastron SDM120",
 "line": [2400, "8N1"],
 "function": 4,
 "order": "ABCD",
 "most": 80,
 "serial": [3, 64512, "uint32"],
 "registers": [
  ["1-0:32.7.0", 0, "float32", "V"],
  ["1-0:31.7.0", 6, "float32", "A"],
  ["1-0:16.7.0", 12, "float32", "W"],
  ["1-0:9.7.0", 18, "float32", "VA"],
  ["reactive power", 24, "float32", "var"],
  ["1-0:13.7.0", 30, "float32", ""],
  ["1-0:14.7.0", 70, "float32", "Hz"],
  ["1-0:1.8.0", 72, "float32", "kWh"],
  ["1-0:2.8.0", 74, "float32", "kWh"],
  ["1-0:3.8.0", 76, "float32", "kvarh"],
  ["1-0:4.8.0", 78, "float32", "kvarh"],
  ["active energy total", 342, "float32", "kWh"],
  ["reactive energy total", 344, "float32", "kvarh"]
 ]
}
"""
