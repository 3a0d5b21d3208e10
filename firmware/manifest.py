"""What a frozen build of the firmware contains, in MicroPython's manifest language; a board's manifest includes it."""

package("meterhub", base_path=".", opt=3)
module("main.py", base_path=".", opt=3)
require("umqtt.simple")
