r"""The entry file's machine code: a new environment, then execve.

::

    program, argv = argv[1], &argv[2]
    environment = [v for v in variables if not (v begins with "SLURM_" and the step has one of that name)]
                + [v for v in the step's if v begins with "SLURM_" or variables have none of that name]
    execve(program, argv, environment);  exit(errno == ENOENT ? 127 : 126)

Behind the code lies the table of the variables' addresses, which ends with 0; the new array grows down the stack. Two
passes share the code, first over the step's variables, then over those of the table: whatever begins as the pass does
not look for is taken, and the rest only if the other list has no variable of that name.
"""

X86_64 = bytes.fromhex(
    "4889e5"  #                mov   rbp, rsp             argc, argv …, 0, envp …, 0
    "488b4d00"  #              mov   rcx, [rbp]
    "4c8d64cd10"  #            lea   r12, [rbp+rcx*8+16]  the step's variables
    "4c8d2d8d000000"  #        lea   r13, [rip+table]
    "6a00"  #                  push  0                    end of the new environment
    "4c89e6"  #                mov   rsi, r12             this pass goes over the step's
    "4c89eb"  #                mov   rbx, r13             and looks into the table
    "4531f6"  #                xor   r14d, r14d           for those without SLURM_
    "48ad"  #            pass: lodsq
    "4885c0"  #                test  rax, rax
    "7444"  #                  jz    over
    "8138534c5552"  #          cmp   dword ptr [rax], "SLUR"
    "7506"  #                  jne   1f
    "668178044d5f"  #          cmp   word ptr [rax+4], "M_"
    "0f94c1"  #          1:    sete  cl
    "4438f1"  #                cmp   cl, r14b
    "752b"  #                  jne   keep
    "4889df"  #                mov   rdi, rbx
    "488b17"  #          look: mov   rdx, [rdi]
    "4883c708"  #              add   rdi, 8
    "4885d2"  #                test  rdx, rdx
    "741c"  #                  jz    keep
    "31c9"  #                  xor   ecx, ecx
    "448a0408"  #        char: mov   r8b, [rax+rcx]
    "443a040a"  #              cmp   r8b, [rdx+rcx]
    "75e8"  #                  jne   look
    "48ffc1"  #                inc   rcx
    "4180f83d"  #              cmp   r8b, '='
    "74bf"  #                  je    pass                 the other list has it
    "4584c0"  #                test  r8b, r8b
    "75e8"  #                  jne   char
    "ebb8"  #                  jmp   pass                 (without a '=')
    "50"  #              keep: push  rax
    "ebb5"  #                  jmp   pass
    "4c89ee"  #          over: mov   rsi, r13             the second pass: over the table
    "4c89e3"  #                mov   rbx, r12             looking into the step's
    "41ffc6"  #                inc   r14d                 for those with SLURM_
    "4183fe01"  #              cmp   r14d, 1
    "74a6"  #                  je    pass
    "488b7d10"  #              mov   rdi, [rbp+16]        argv[1]
    "488d7518"  #              lea   rsi, [rbp+24]        &argv[2]
    "4889e2"  #                mov   rdx, rsp
    "b83b000000"  #            mov   eax, 59              execve
    "0f05"  #                  syscall
    "83f8fe"  #                cmp   eax, -2              ENOENT?
    "bf7e000000"  #            mov   edi, 126
    "7502"  #                  jne   2f
    "ffc7"  #                  inc   edi
    "b8e7000000"  #      2:    mov   eax, 231             exit_group
    "0f05"  #                  syscall
    "0f1f00"  #                nop                        the table begins at a multiple of 8
)
AARCH64 = b"".join(
    word.to_bytes(4, "little")
    for word in (
        0xF94003E9,  #        ldr   x9, [sp]               argc, argv …, 0, envp …, 0
        0x910003EA,  #        mov   x10, sp
        0x8B090D4B,  #        add   x11, x10, x9, lsl 3
        0x9100416B,  #        add   x11, x11, 16           the step's variables
        0x100006CC,  #        adr   x12, table
        0xD2898A6D,  #        mov   x13, "SL"
        0xF2AA4AAD,  #        movk  x13, "UR", lsl 16
        0xF2CBE9AD,  #        movk  x13, "M_", lsl 32
        0xF81F0FFF,  #        str   xzr, [sp, -16]!        end of the new environment
        0x910003F4,  #        mov   x20, sp                (sp itself stays a multiple of 16)
        0xAA0B03EE,  #        mov   x14, x11               this pass goes over the step's
        0xAA0C03EF,  #        mov   x15, x12               and looks into the table
        0x52800010,  #        mov   w16, 0                 for those without SLURM_
        0xF84085C0,  #  pass: ldr   x0, [x14], 8
        0xB4000380,  #        cbz   x0, over
        0xB9400001,  #        ldr   w1, [x0]
        0x6B0D003F,  #        cmp   w1, w13
        0x54000081,  #        b.ne  1f
        0x79400801,  #        ldrh  w1, [x0, 4]
        0xD360FDA2,  #        lsr   x2, x13, 32
        0x6B02003F,  #        cmp   w1, w2
        0x1A9F17E1,  #  1:    cset  w1, eq
        0x6B10003F,  #        cmp   w1, w16
        0x540001C1,  #        b.ne  keep
        0xAA0F03E3,  #        mov   x3, x15
        0xF8408464,  #  look: ldr   x4, [x3], 8
        0xB4000164,  #        cbz   x4, keep
        0xD2800005,  #        mov   x5, 0
        0x38656806,  #  char: ldrb  w6, [x0, x5]
        0x38656887,  #        ldrb  w7, [x4, x5]
        0x6B0700DF,  #        cmp   w6, w7
        0x54FFFF41,  #        b.ne  look
        0x910004A5,  #        add   x5, x5, 1
        0x7100F4DF,  #        cmp   w6, '='
        0x54FFFD60,  #        b.eq  pass                   the other list has it
        0x35FFFF26,  #        cbnz  w6, char
        0x17FFFFE9,  #        b     pass                   (without a '=')
        0xD1002294,  #  keep: sub   x20, x20, 8
        0x927CEE95,  #        and   x21, x20, -16
        0x910002BF,  #        mov   sp, x21
        0xF9000280,  #        str   x0, [x20]
        0x17FFFFE4,  #        b     pass
        0xAA0C03EE,  #  over: mov   x14, x12               the second pass: over the table
        0xAA0B03EF,  #        mov   x15, x11               looking into the step's
        0x11000610,  #        add   w16, w16, 1            for those with SLURM_
        0x7100061F,  #        cmp   w16, 1
        0x54FFFBE0,  #        b.eq  pass
        0xF9400940,  #        ldr   x0, [x10, 16]          argv[1]
        0x91006141,  #        add   x1, x10, 24            &argv[2]
        0xAA1403E2,  #        mov   x2, x20
        0xD2801BA8,  #        mov   x8, 221                execve
        0xD4000001,  #        svc   0
        0xB100081F,  #        cmn   x0, 2                  ENOENT?
        0x52800FC0,  #        mov   w0, 126
        0x1A801400,  #        cinc  w0, w0, eq
        0xD2800BC8,  #        mov   x8, 94                 exit_group
        0xD4000001,  #        svc   0
        0xD503201F,  #        nop                          the table begins at a multiple of 8
    )
)
