// Before MicroPython's own of the same name: the file system is smaller, since the image is larger (flash.json).
#include "boards/RPI_PICO_W/mpconfigboard.h"
#undef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (640 * 1024)
