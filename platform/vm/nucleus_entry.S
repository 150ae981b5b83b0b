/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring 0, the assembler half: PVH entry (Xen's docs/misc/pvh), the way to long mode and to ring 3, and every trap's entry.
 * On KVM without hardware assistance each instruction here is emulated, at about 3 us: count them before adding one.
 * GDT, IDT, TSS and page tables are laid out by image.ld.S and lie ready in the image.
 */
#include "platform/vm/nucleus.h"

#define SERIAL 0x3f8
#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define LAPIC_EOI (LAPIC_VIRTUAL + 0xb0)
#define LAPIC_SPURIOUS (LAPIC_VIRTUAL + 0xf0)
#define LAPIC_LVT_TIMER (LAPIC_VIRTUAL + 0x320)
#define LAPIC_INITIAL_COUNT (LAPIC_VIRTUAL + 0x380)
#define LAPIC_DIVIDE (LAPIC_VIRTUAL + 0x3e0)

        .section .note.pvh, "a", @note
        .balign 4
        .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long pvh_start

        .section .nucleus.text, "ax", @progbits
        .code32
        .globl pvh_start
/* 32-bit protected mode, paging off, EBX = start info, interrupts off. */
pvh_start:
        cld
        movl $nucleus_stack_top, %esp
        lgdtl gdt_register
        lidtl early_idt_register
        rdtsc
        movl %eax, %esi
        movl %edx, %edi
        movl %ebx, %ebp

        /* What the image cannot do without. Everything else is asked for at run time, in ring 3. */
        movl $0x80000000, %eax
        cpuid
        cmpl $0x80000001, %eax
        movl $text_long_mode, %ecx
        jb cpu_lacks
        movl $0x80000001, %eax
        cpuid
        movl $text_long_mode, %ecx
        btl $29, %edx
        jnc cpu_lacks
        movl $text_nx, %ecx
        btl $20, %edx
        jnc cpu_lacks
        movl $1, %eax
        cpuid
        movl $text_basic, %ecx
        andl $0x07000231, %edx /* FPU, TSC, MSR, APIC, FXSR, SSE, SSE2 */
        cmpl $0x07000231, %edx
        jne cpu_lacks

        movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $page_pml4, %eax
        movl %eax, %cr3
        movl $MSR_EFER, %ecx
        movl $0x900, %eax /* LME, NXE */
        xorl %edx, %edx
        wrmsr
        movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
        movl %eax, %cr0
        ljmpl $SELECTOR_KERNEL_CODE, $start64

/* ECX: what is missing. */
cpu_lacks:
        movl %ecx, %ebx
        movl $text_lacks, %ecx
        call write32
        movl %ebx, %ecx
        call write32
        movb $EXIT_CPU, %al
        outb %al, $EXIT_PORT
1:      cli
        hlt
        jmp 1b

/* A fault before long mode: the vector is not known, the place is. */
        .globl early_fault
early_fault:
        movl $text_early, %ecx
        call write32
        movb $EXIT_PANIC, %al
        outb %al, $EXIT_PORT
1:      cli
        hlt
        jmp 1b

/* Writes the string at ECX to the serial port. */
write32:
        movl $SERIAL, %edx
1:      movb (%ecx), %al
        testb %al, %al
        jz 2f
        outb %al, %dx
        incl %ecx
        jmp 1b
2:      ret

        .code64
start64:
        movl $SELECTOR_KERNEL_DATA, %eax
        movl %eax, %ss
        movl $nucleus_stack_top, %esp
        lidt idt_register
        movl $SELECTOR_TSS, %eax
        ltr %ax
        /* FS is made null first: iretq to ring 3 invalidates a data segment of ring 0, which the loader may have left there, and
         * whether its base outlives that is the CPU's choice. */
        xorl %edx, %edx
        movl %edx, %fs
        movl $MSR_FS_BASE, %ecx
        movl $tls_control_block, %eax
        wrmsr
        /* The timer counts down from its maximum, masked: the clock is calibrated against it (clock.c). */
        movl $(0x100 | VECTOR_SPURIOUS), LAPIC_SPURIOUS
        movl $(0x10000 | VECTOR_TIMER), LAPIC_LVT_TIMER
        movl $0xb, LAPIC_DIVIDE /* by 1 */
        movl $0xffffffff, LAPIC_INITIAL_COUNT

        pushq $SELECTOR_USER_DATA
        pushq $stack_top
        pushq $0x202 /* IF; IOPL 0 */
        pushq $SELECTOR_USER_CODE
        pushq $vm_start_entry
        movl %esi, %esi /* upper halves are undefined after the change of mode */
        shlq $32, %rdi
        orq %rdi, %rsi
        movl %ebp, %edi
        iretq

/* Exceptions 0 to 31, 16 bytes each: image.ld.S computes their addresses. */
        .balign 16
        .globl exception_stubs
exception_stubs:
        .altmacro
        .macro exception_stub n
        .balign 16
        .if \n == 6
        jmp door
        .else
        .if \n != 8 && \n != 10 && \n != 11 && \n != 12 && \n != 13 && \n != 14 && \n != 17 && \n != 21 && \n != 29 && \n != 30
        pushq $0
        .endif
        pushq $\n
        jmp fault
        .endif
        .endm
        .set i, 0
        .rept 32
        exception_stub %i
        .set i, i + 1
        .endr

/* Interrupts, 32 bytes each: set the pending bit, acknowledge, return. Three instructions and no register. */
        .balign 32
        .globl interrupt_stubs
interrupt_stubs:
        .macro interrupt_stub n
        .balign 32
        btsl $\n, nucleus_pending
        movl $0, LAPIC_EOI
        iretq
        .endm
        .set i, 0
        .rept 31
        interrupt_stub %i
        .set i, i + 1
        .endr
        .balign 32
        iretq /* spurious: no acknowledgement (Intel SDM 3A 11.9) */

/* #UD: a call if it came from the gate, else a fault. A call is a C call: registers are in place, and only those that C keeps
 * are kept. */
        .balign 16
door:
        cmpq $nucleus_gate, (%rsp)
        jne 1f
        addq $2, (%rsp)
        cld /* C relies on it; ring 3 may have set it */
        subq $8, %rsp
        call nucleus_call
        addq $8, %rsp
        iretq
1:      pushq $0
        pushq $6

/* Every other exception: the whole state goes into a struct fault_frame. */
fault:
        pushq %rax
        pushq %rbx
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %rbp
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %cr2, %rax
        pushq %rax
        cld
        movq %rsp, %rdi
        movq %rsp, %rbx
        andq $-16, %rsp
        call nucleus_fault
        /* Handed over: go on in ring 3 in fault_entry(copy of the frame), on the fault stack. */
        pushq $SELECTOR_USER_DATA
        pushq $fault_stack_top
        pushq $0x2
        pushq $SELECTOR_USER_CODE
        pushq $fault_entry_user
        movq %rax, %rdi
        iretq

        .section .nucleus.rodata, "a", @progbits
text_lacks:     .asciz "imago: panic: this CPU lacks "
text_long_mode: .asciz "64-bit long mode; with QEMU, use -cpu max or -cpu host\r\n"
text_nx:        .asciz "no-execute pages (NX); with QEMU, use -cpu max or -cpu host\r\n"
text_basic:     .asciz "one of FPU, TSC, MSR, APIC, FXSR, SSE, SSE2; with QEMU, use -cpu max or -cpu host\r\n"
text_early:     .asciz "imago: panic: fault before long mode\r\n"

/* The gate has a page of its own, the only one of the nucleus that ring 3 may execute. */
        .section .nucleus.gate, "ax", @progbits
        .balign 4096
        .globl nucleus_gate
nucleus_gate:
        ud2
        ret
        .balign 4096, 0xcc /* int3: whoever enters elsewhere goes no further */

/* Ring 3: aligns the stack as C expects it and ends the chain of frame pointers. */
        .section .text.vm_start_entry, "ax", @progbits
        .globl vm_start_entry
vm_start_entry:
        xorl %ebp, %ebp
        call vm_start
        ud2
        .globl fault_entry_user
fault_entry_user:
        xorl %ebp, %ebp
        call fault_entry
        ud2

        .section .note.GNU-stack, "", @progbits
