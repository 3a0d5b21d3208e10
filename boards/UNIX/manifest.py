"""What an interpreter of the unix port contains: asyncio and the firmware."""

include("$(MPY_DIR)/extmod/asyncio")
include("../../firmware/manifest.py")
