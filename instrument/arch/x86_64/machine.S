/* machine.S - x86-64: what cannot be written in C (machine.h). */

#define FUNCTION(name) .hidden name; .globl name; .type name, @function; name:

    .text

/* void hdi_switch_stack(void **save, void *load) */
FUNCTION(hdi_switch_stack)
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    sub $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

/* void hdi_signal_return(void): rt_sigreturn */
FUNCTION(hdi_signal_return)
    mov $15, %rax
    syscall

/* pid_t vfork(void): nothing may be on the stack while the child runs, which writes there. */
    .globl vfork
    .type vfork, @function
vfork:
    mov (%rsp), %rdi
    sub $8, %rsp
    call hdi_before_vfork
    add $8, %rsp
    pop %rdi
    mov $58, %eax
    syscall
    push %rdi
    test %rax, %rax
    jz 1f
    mov %rax, %rdi
    sub $8, %rsp
    call hdi_after_vfork
    add $8, %rsp
1:  ret

    .section .note.GNU-stack, "", @progbits
