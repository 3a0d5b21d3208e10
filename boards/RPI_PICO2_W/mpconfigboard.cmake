# MicroPython's own board, with the firmware in it, and more of the flash for what is in the image.
set(MICROPY_BOARD_DIR ${MICROPY_PORT_DIR}/boards/RPI_PICO2_W)
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
set(MICROPY_FROZEN_MANIFEST ${CMAKE_CURRENT_LIST_DIR}/manifest.py)
include_directories(BEFORE ${CMAKE_CURRENT_LIST_DIR})
