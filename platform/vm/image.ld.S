/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The image, laid out for the linker (through the C preprocessor). Everything ring 0 needs before its first instruction is computed
 * here from the addresses of the sections: GDT, IDT, TSS and page tables lie ready in the file. Virtual = physical.
 *
 *   0            not mapped
 *   4 KiB        user, read-only: what the loader put below 1 MiB (start info, command line, memory map)
 *   640 KiB      in its midst the local APIC, twice (nucleus.h)
 *   1 MiB        the image: nucleus, gate, text, read-only data, data, stacks with guard pages; at most 3 MiB
 *   then         memory for machine code, where it is written
 *   up to the next multiple of 2 MiB: RAM that lies ready, for a heap that has little else
 *   next 2 MiB   RAM, mapped by NUCLEUS_MAP as the heap grows, up to the last 2 MiB below 2 GiB:
 *   CODE_VIRTUAL the memory for machine code again, where it runs; within reach of calls from and to the image
 */
#include "platform/vm/nucleus.h"

#define NX 0x8000000000000000
#define PRESENT 1
#define WRITE 2
#define USER 4
#define UNCACHED 0x10
#define LARGE 0x80
#define DEVICE_INDEX ((DEVICE_PAGE_VIRTIO >> 21) & 511)

#define NUCLEUS_STACK 0x2000
#define DOUBLE_FAULT_STACK 0x1000
#define MAIN_STACK 0x40000
#define FAULT_STACK 0x4000
#define CODE_SIZE 0x80000 /* of memory for machine code, at most 0x200000: some 50,000 instructions of programs */

LD_FEATURE("SANE_EXPR")
ENTRY(pvh_start)
EXTERN(pvh_start vm_start fault_entry nucleus_call nucleus_fault)

PHDRS {
  note PT_NOTE FLAGS(4);
  build_id PT_NOTE FLAGS(4);
  nucleus_code PT_LOAD FLAGS(5);
  nucleus_data PT_LOAD FLAGS(6);
  code PT_LOAD FLAGS(5);
  constants PT_LOAD FLAGS(4);
  data PT_LOAD FLAGS(6);
}

/* One page-table entry for the page at a, by the region it lies in; 0, not present, where none is: null page, guards. */
#define IN(a, region) ((a) >= ADDR_##region && (a) < END_##region)
#define ADDR_NUCLEUS_CODE nucleus_code_start
#define END_NUCLEUS_CODE nucleus_code_end
#define ADDR_NUCLEUS_DATA nucleus_data_start
#define END_NUCLEUS_DATA nucleus_data_end
#define ADDR_CODE text_start
#define END_CODE text_end
#define ADDR_CONSTANTS rodata_start
#define END_CONSTANTS rodata_end
#define ADDR_DATA data_start
#define END_DATA data_end
#define ADDR_NUCLEUS_STACK nucleus_stack_bottom
#define END_NUCLEUS_STACK nucleus_stack_top
#define ADDR_DOUBLE_STACK double_fault_stack_bottom
#define END_DOUBLE_STACK double_fault_stack_top
#define ADDR_STACK stack_bottom
#define END_STACK stack_top
#define ADDR_FAULT_STACK fault_stack_bottom
#define END_FAULT_STACK fault_stack_top
#define ADDR_CODE_ARENA code_arena_start
#define END_CODE_ARENA code_arena_end
#define ADDR_REST code_arena_end
#define END_REST image_large_end
#define FLAGS_OF(a) ( \
  IN(a, NUCLEUS_CODE) ? (PRESENT) : \
  IN(a, CODE) ? (PRESENT | USER) : \
  IN(a, CONSTANTS) ? (PRESENT | USER | NX) : \
  IN(a, DATA) || IN(a, STACK) || IN(a, FAULT_STACK) || IN(a, CODE_ARENA) || IN(a, REST) ? (PRESENT | WRITE | USER | NX) : \
  IN(a, NUCLEUS_DATA) || IN(a, NUCLEUS_STACK) || IN(a, DOUBLE_STACK) ? (PRESENT | WRITE | NX) : 0)
#define PAGE(a) QUAD(FLAGS_OF(a) == 0 ? 0 : ((a) | FLAGS_OF(a)))
#define PAGE8(a) PAGE(a) PAGE((a) + 0x1000) PAGE((a) + 0x2000) PAGE((a) + 0x3000) \
  PAGE((a) + 0x4000) PAGE((a) + 0x5000) PAGE((a) + 0x6000) PAGE((a) + 0x7000)
#define PAGE64(a) PAGE8(a) PAGE8((a) + 0x8000) PAGE8((a) + 0x10000) PAGE8((a) + 0x18000) \
  PAGE8((a) + 0x20000) PAGE8((a) + 0x28000) PAGE8((a) + 0x30000) PAGE8((a) + 0x38000)
#define PAGE256(a) PAGE64(a) PAGE64((a) + 0x40000) PAGE64((a) + 0x80000) PAGE64((a) + 0xc0000)

/* Below 1 MiB: read-only for everybody. */
#define LOW(a) QUAD((a) | PRESENT | USER | NX)
#define LOW8(a) LOW(a) LOW((a) + 0x1000) LOW((a) + 0x2000) LOW((a) + 0x3000) \
  LOW((a) + 0x4000) LOW((a) + 0x5000) LOW((a) + 0x6000) LOW((a) + 0x7000)
#define LOW32(a) LOW8(a) LOW8((a) + 0x8000) LOW8((a) + 0x10000) LOW8((a) + 0x18000)

/* Page n of the memory for machine code, to be run. */
#define RUN(n) QUAD((n) * 0x1000 < CODE_SIZE ? ((code_arena_start + (n) * 0x1000) | PRESENT | USER) : 0)
#define RUN8(n) RUN(n) RUN((n) + 1) RUN((n) + 2) RUN((n) + 3) RUN((n) + 4) RUN((n) + 5) RUN((n) + 6) RUN((n) + 7)
#define RUN64(n) RUN8(n) RUN8((n) + 8) RUN8((n) + 16) RUN8((n) + 24) RUN8((n) + 32) RUN8((n) + 40) RUN8((n) + 48) RUN8((n) + 56)

/* Interrupt gates. */
#define GATE(a, ist) \
  QUAD(((a) & 0xffff) | (SELECTOR_KERNEL_CODE << 16) | ((ist) << 32) | (0x8e << 40) | ((((a) >> 16) & 0xffff) << 48)) \
  QUAD((a) >> 32)
#define EXCEPTION(n, ist) GATE(ABSOLUTE(exception_stubs) + 16 * (n), ist)
#define EXCEPTION4(n) EXCEPTION(n, 0) EXCEPTION((n) + 1, 0) EXCEPTION((n) + 2, 0) EXCEPTION((n) + 3, 0)
#define INTERRUPT(n) GATE(ABSOLUTE(interrupt_stubs) + 32 * (n), 0)
#define INTERRUPT8(n) INTERRUPT(n) INTERRUPT((n) + 1) INTERRUPT((n) + 2) INTERRUPT((n) + 3) \
  INTERRUPT((n) + 4) INTERRUPT((n) + 5) INTERRUPT((n) + 6) INTERRUPT((n) + 7)
#define EARLY QUAD((ABSOLUTE(early_fault) & 0xffff) | (SELECTOR_KERNEL_CODE32 << 16) | (0x8e << 40) | ((ABSOLUTE(early_fault) >> 16) << 48))
#define EARLY8 EARLY EARLY EARLY EARLY EARLY EARLY EARLY EARLY

SECTIONS {
  . = IMAGE_BASE;
  nucleus_code_start = .;
  .note.pvh : { KEEP(*(.note.pvh)) } :nucleus_code :note
  .nucleus.text : {
    KEEP(*(.nucleus.text))
    *nucleus_code*.o(.text .text.*)
    *(.nucleus.rodata)
    *nucleus_code*.o(.rodata .rodata.*)
  } :nucleus_code
  . = ALIGN(0x1000);
  nucleus_code_end = .;

  nucleus_data_start = .;
  .nucleus.tables : {
    page_pml4 = ABSOLUTE(.);
    QUAD(page_pdpt + (PRESENT | WRITE | USER))
    . += 0x1000 - 1 * 8;
    page_pdpt = ABSOLUTE(.);
    QUAD(page_ram + (PRESENT | WRITE | USER))
    QUAD(page_ram + 0x1000 + (PRESENT | WRITE | USER))
    QUAD(0)
    QUAD(page_devices + (PRESENT | WRITE | USER))
    . += 0x1000 - 4 * 8;
    page_ram = ABSOLUTE(.);
    QUAD(page_low + (PRESENT | WRITE | USER))
    QUAD(image_large_end > 0x200000 ? page_low + 0x1000 + (PRESENT | WRITE | USER) : 0)
    . += 0x2000 - 3 * 8;
    QUAD(page_code + (PRESENT | WRITE | USER)) /* CODE_VIRTUAL */
    page_devices = ABSOLUTE(.);
    . += DEVICE_INDEX * 8;
    QUAD(DEVICE_PAGE_VIRTIO + (PRESENT | WRITE | USER | LARGE | UNCACHED | NX))
    QUAD(DEVICE_PAGE_IOAPIC + (PRESENT | WRITE | USER | LARGE | UNCACHED | NX))
    . += 0x1000 - (DEVICE_INDEX + 2) * 8;
    page_low = ABSOLUTE(.);
    QUAD(0)
    LOW(0x1000) LOW(0x2000) LOW(0x3000) LOW(0x4000) LOW(0x5000) LOW(0x6000) LOW(0x7000)
    LOW8(0x8000) LOW8(0x10000) LOW8(0x18000)
    LOW32(0x20000) LOW32(0x40000) LOW32(0x60000) LOW32(0x80000)
    QUAD(LAPIC_PHYSICAL | PRESENT | WRITE | UNCACHED | NX)
    QUAD(LAPIC_PHYSICAL | PRESENT | USER | UNCACHED | NX)
    LOW(0xa2000) LOW(0xa3000) LOW(0xa4000) LOW(0xa5000) LOW(0xa6000) LOW(0xa7000)
    LOW8(0xa8000) LOW8(0xb0000) LOW8(0xb8000) LOW32(0xc0000) LOW32(0xe0000)
    PAGE256(0x100000)
    PAGE256(0x200000)
    PAGE256(0x300000)
    page_code = ABSOLUTE(.);
    RUN64(0) RUN64(64) RUN64(128) RUN64(192) RUN64(256) RUN64(320) RUN64(384) RUN64(448)
    idt = ABSOLUTE(.);
    EXCEPTION(0, 0) EXCEPTION(1, 0) EXCEPTION(2, 1) EXCEPTION(3, 0)
    EXCEPTION4(4)
    EXCEPTION(8, 1) EXCEPTION(9, 0) EXCEPTION(10, 0) EXCEPTION(11, 0)
    EXCEPTION4(12)
    EXCEPTION(16, 0) EXCEPTION(17, 0) EXCEPTION(18, 1) EXCEPTION(19, 0)
    EXCEPTION4(20) EXCEPTION4(24) EXCEPTION4(28)
    INTERRUPT8(0) INTERRUPT8(8) INTERRUPT8(16) INTERRUPT8(24)
    early_idt = ABSOLUTE(.);
    EARLY8 EARLY8 EARLY8 EARLY8
    gdt = ABSOLUTE(.);
    QUAD(0)
    QUAD(0x00cf9a000000ffff) /* 0x08 32-bit code */
    QUAD(0x00af9a000000ffff) /* 0x10 64-bit code */
    QUAD(0x00cf92000000ffff) /* 0x18 data */
    QUAD(0x00cffa000000ffff) /* 0x20 user 32-bit code, for the layout only */
    QUAD(0x00cff2000000ffff) /* 0x28 user data */
    QUAD(0x00affa000000ffff) /* 0x30 user 64-bit code */
    QUAD(103 | ((tss & 0xffffff) << 16) | (0x89 << 40) | ((tss >> 24) << 56)) /* 0x38 */
    QUAD(0)
    gdt_register = ABSOLUTE(.);
    SHORT(71) QUAD(gdt)
    idt_register = ABSOLUTE(.);
    SHORT(VECTOR_COUNT * 16 - 1) QUAD(idt)
    early_idt_register = ABSOLUTE(.);
    SHORT(255) QUAD(early_idt)
    . = ALIGN(16);
    tss = ABSOLUTE(.);
    LONG(0) QUAD(nucleus_stack_top) . += 24;
    QUAD(double_fault_stack_top) . += 58;
    SHORT(104) /* no I/O permission map: ring 3 reaches no port */
    . = ALIGN(16);
    *nucleus_code*.o(.data .data.* .bss .bss.* COMMON)
    . = ALIGN(0x1000);
  } :nucleus_data
  nucleus_data_end = .;

  text_start = .;
  .text : { KEEP(*(.nucleus.gate)) *(.text .text.*) . = ALIGN(0x1000); } :code
  text_end = .;

  rodata_start = .;
  .note.gnu.build-id : { build_id_start = .; KEEP(*(.note.gnu.build-id)) build_id_end = .; } :constants :build_id
  .rodata : {
    *(.rodata .rodata.*)
    . = ALIGN(8);
    __start_imago_elements = .;
    KEEP(*(imago_elements))
    __stop_imago_elements = .;
    . = ALIGN(0x1000);
  } :constants
  rodata_end = .;

  data_start = .;
  /* The TLS block of worker 0 is used where it lies; the control block follows it (x86-64 psABI, variant II). */
  .tdata : { QUAD(0) /* gives .tbss, which has no contents, a place here */ *(.tdata .tdata.* .tbss .tbss.*) . = ALIGN(64); } :data
  .tcb : { tls_control_block = ABSOLUTE(.); QUAD(tls_control_block) . += 56; } :data
  .data : { *(.data .data.*) *(.shared) } :data
  .bss (NOLOAD) : {
    *(.bss .bss.* COMMON)
    . = ALIGN(0x1000);
    data_end = ABSOLUTE(.);
    . += 0x1000;
    stack_bottom = ABSOLUTE(.);
    . += MAIN_STACK;
    stack_top = ABSOLUTE(.);
    . += 0x1000;
    fault_stack_bottom = ABSOLUTE(.);
    . += FAULT_STACK;
    fault_stack_top = ABSOLUTE(.);
    . += 0x1000;
    nucleus_stack_bottom = ABSOLUTE(.);
    . += NUCLEUS_STACK;
    nucleus_stack_top = ABSOLUTE(.);
    . += 0x1000;
    double_fault_stack_bottom = ABSOLUTE(.);
    . += DOUBLE_FAULT_STACK;
    double_fault_stack_top = ABSOLUTE(.);
    image_end = ABSOLUTE(.);
  } :data
  /* Not part of the image, but mapped with it. */
  code_arena_start = image_end;
  code_arena_end = code_arena_start + CODE_SIZE;
  image_large_end = ALIGN(code_arena_end, 0x200000);
  ASSERT(image_large_end <= 0x400000, "the image does not fit below 4 MiB: link fewer elements, or give image.ld.S one more page table")
  /DISCARD/ : { *(.eh_frame .eh_frame_hdr .comment .note.GNU-stack .note.gnu.property .gnu.hash .dynsym .dynstr .interp) }
}
