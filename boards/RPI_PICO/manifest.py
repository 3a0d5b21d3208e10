"""What an image for the Raspberry Pi Pico contains: the port's own modules, asyncio, and the firmware."""

freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
include("../../firmware/manifest.py")
