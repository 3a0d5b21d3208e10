// Before MicroPython's own of the same name: the file system is smaller, since the image is larger (flash.json).
#include "boards/RPI_PICO2_W/mpconfigboard.h"
#undef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (2048 * 1024)
