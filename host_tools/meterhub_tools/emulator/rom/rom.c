/* The functions of the RP2040's boot ROM that MicroPython's image calls (datasheet 2.8.3); the others are traps.

   Floats are libgcc's: they round as the chip's do, and keep the denormal numbers that the chip takes as zero. */

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

void rom_missing(void);

void *rom_table_lookup(const u16 *table, u32 code) {
    for (; *table; table += 2) {
        if (*table == (u16)code) {
            return (void *)(uintptr_t)table[1];
        }
    }
    return 0;
}

/* -- bits ------------------------------------------------------------------------------------------------------ */

u32 rom_popcount32(u32 value) {
    u32 count = 0;
    for (; value; value &= value - 1) {
        count++;
    }
    return count;
}

u32 rom_reverse32(u32 value) {
    u32 reversed = 0;
    for (int bit = 0; bit < 32; bit++, value >>= 1) {
        reversed = reversed << 1 | (value & 1);
    }
    return reversed;
}

u32 rom_clz32(u32 value) {
    u32 count = 32;
    for (; value; value >>= 1) {
        count--;
    }
    return count;
}

u32 rom_ctz32(u32 value) {
    u32 count = 32;
    for (; value; value <<= 1) {
        count--;
    }
    return count;
}

/* -- memory ---------------------------------------------------------------------------------------------------- */

/* Only the lowest byte of `value` counts: memset(p, -1, n) comes here as it is. */
u8 *rom_memset(u8 *start, u32 value, u32 bytes) {
    u8 *p = start;
    u32 word = (value & 0xff) * 0x01010101u;
    if (((uintptr_t)p & 3) == 0) {
        for (; bytes >= 4; bytes -= 4, p += 4) {
            *(u32 *)p = word;
        }
    }
    while (bytes--) {
        *p++ = (u8)word;
    }
    return start;
}

u8 *rom_memset4(u8 *start, u32 value, u32 bytes) {
    return rom_memset(start, value, bytes);
}

u8 *rom_memcpy(u8 *to, const u8 *from, u32 bytes) {
    u8 *p = to;
    if ((((uintptr_t)p | (uintptr_t)from) & 3) == 0) {
        for (; bytes >= 4; bytes -= 4, p += 4, from += 4) {
            *(u32 *)p = *(const u32 *)from;
        }
    }
    while (bytes--) {
        *p++ = *from++;
    }
    return to;
}

u8 *rom_memcpy44(u8 *to, const u8 *from, u32 bytes) {
    return rom_memcpy(to, from, bytes);
}

/* -- floats and doubles ---------------------------------------------------------------------------------------- */

/* To integers: towards minus infinity, and what is too large becomes the largest there is. */
#define NUMBERS(T)                                                                                                   \
    static T T##_add(T a, T b) { return a + b; }                                                                     \
    static T T##_sub(T a, T b) { return a - b; }                                                                     \
    static T T##_mul(T a, T b) { return a * b; }                                                                     \
    static T T##_div(T a, T b) { return a / b; }                                                                     \
    static T T##_from_int(int32_t a) { return (T)a; }                                                                \
    static T T##_from_uint(uint32_t a) { return (T)a; }                                                              \
    static T T##_from_int64(int64_t a) { return (T)a; }                                                              \
    static T T##_from_uint64(uint64_t a) { return (T)a; }                                                            \
    TO_SIGNED(T, int, int32_t, INT32_MIN, INT32_MAX, (T)0x1p31)                                                      \
    TO_SIGNED(T, int64, int64_t, INT64_MIN, INT64_MAX, (T)0x1p63)                                                    \
    TO_UNSIGNED(T, uint, uint32_t, UINT32_MAX, (T)0x1p32)                                                            \
    TO_UNSIGNED(T, uint64, uint64_t, UINT64_MAX, (T)0x1p64)

#define TO_SIGNED(T, name, INT, low, high, end)                                                                      \
    static INT T##_to_##name(T a) {                                                                                  \
        if (a < -end) return low;                                                                                    \
        if (a >= end) return high;                                                                                   \
        INT whole = (INT)a;                                                                                          \
        return whole - ((T)whole > a);                                                                               \
    }

#define TO_UNSIGNED(T, name, UINT, high, end)                                                                        \
    static UINT T##_to_##name(T a) { return a <= 0 ? 0 : a >= end ? high : (UINT)a; }

NUMBERS(float)
NUMBERS(double)

static double float_to_double(float a) { return a; }
static float double_to_float(double a) { return (float)a; }

/* Offsets as in the SDK's sf_table.h. In front of the table stands a word whose byte at -2 is the number of entries. */
#define AT(offset) [1 + (offset) / 4]
#define TABLE(T, other)                                                                                              \
    void *const T##_words[33] = {                                                                                    \
        [0] = (void *)(uintptr_t)(32u << 16), [1 ... 32] = rom_missing,                                              \
        AT(0x00) = T##_add, AT(0x04) = T##_sub, AT(0x08) = T##_mul, AT(0x0c) = T##_div,                              \
        AT(0x1c) = T##_to_int, AT(0x24) = T##_to_uint, AT(0x2c) = T##_from_int, AT(0x34) = T##_from_uint,            \
        AT(0x5c) = T##_from_int64, AT(0x64) = T##_from_uint64,                                                       \
        AT(0x6c) = T##_to_int64, AT(0x74) = T##_to_uint64, AT(0x7c) = T##_to_##other,                                \
    };

TABLE(float, double)
TABLE(double, float)
