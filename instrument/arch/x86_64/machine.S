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

/* void hdi_switch_context(struct hdi_context *save, const struct hdi_context *load) */
FUNCTION(hdi_switch_context)
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
    rdfsbase %rax
    mov %rax, 8(%rdi)
    mov (%rsi), %rsp
    mov 8(%rsi), %rax
    wrfsbase %rax
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

/* The system calls that a dispatch lets through: from hdi_passed to hdi_passed_end, which is behind
 * the instruction that follows the last one. */
FUNCTION(hdi_passed)
/* long hdi_passed_call(long number, long a, long b, long c, long d, long e, long f) */
FUNCTION(hdi_passed_call)
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret
/* void hdi_passed_return(void): rt_sigreturn */
FUNCTION(hdi_passed_return)
    mov $15, %rax
    syscall
    nop
FUNCTION(hdi_passed_end)

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
