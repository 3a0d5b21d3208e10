@ Vectors, the way into flash, and the traps that the emulator answers (chip.mjs: TRAPS).

    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .section .vectors, "a"
    .word 0x20041f00              @ stack, as the chip's ROM has it
    .word rom_reset
    .word rom_missing             @ NMI
    .word rom_missing             @ HardFault: until the firmware has vectors of its own
    .byte 'M', 'u', 1, 3          @ 0x10: magic; ROM version 3 (chip B2)
    .hword 0, 0, 0, 0             @ 0x14: the tables and the lookup function, put in by __init__.py

    .text
    .macro function name
    .thumb_func
    .global \name
\name:
    .endm

    .macro trap name, number
    function \name
    bkpt #\number
    bx lr
    .endm

    function rom_reset            @ no boot from USB, no second core: the second stage at the start of the flash
    movs r0, #0
    mov lr, r0
    ldr r0, =0x10000001
    bx r0

    trap flash_connect, 1
    trap flash_exit_xip, 1
    trap flash_enter_xip, 1
    trap flash_flush_cache, 1
    trap flash_erase, 2           @ r0: offset, r1: bytes
    trap flash_program, 3         @ r0: offset, r1: source, r2: bytes
    trap usb_boot, 4
    trap rom_missing, 5           @ lr: who called what this ROM has not
