"""The entry file's machine code for x86_64: see ``entry``, which says what it does and what lies behind it."""

CODE = bytes.fromhex(
    "4889e5"  #                       mov   rbp, rsp            argc, argv …, 0, envp …, 0
    "488b4d00"  #                     mov   rcx, [rbp]
    "4c8d64cd10"  #                   lea   r12, [rbp+rcx*8+16] the step's variables
    "4c8d2d9d010000"  #               lea   r13, [rip+data]     input, pipe, the texts, the table of variables
    "31d2"  #                         xor   edx, edx
    "52"  #                           push  rdx                 a sigaction of zeros: SIG_DFL
    "52"  #                           push  rdx
    "52"  #                           push  rdx
    "52"  #                           push  rdx
    "6a40"  #                         push  64
    "5b"  #                           pop   rbx
    "6a08"  #                         push  8
    "415a"  #                         pop   r10
    "4889e6"  #                       mov   rsi, rsp
    "6a0d"  #                      1: push  13                  rt_sigaction
    "58"  #                           pop   rax
    "89df"  #                         mov   edi, ebx
    "0f05"  #                         syscall
    "ffcb"  #                         dec   ebx
    "75f5"  #                         jnz   1b
    "6a0e"  #                         push  14                  rt_sigprocmask: none is blocked
    "58"  #                           pop   rax
    "6a02"  #                         push  2
    "5f"  #                           pop   rdi
    "0f05"  #                         syscall
    "498b7d00"  #                     mov   rdi, [r13]
    "4983c508"  #                     add   r13, 8
    "4885ff"  #                       test  rdi, rdi
    "7413"  #                         jz    1f                  standard input stays
    "6a02"  #                         push  2                   open
    "58"  #                           pop   rax
    "be00000800"  #                   mov   esi, 0x80000        O_RDONLY | O_CLOEXEC
    "0f05"  #                         syscall
    "89c7"  #                         mov   edi, eax
    "31f6"  #                         xor   esi, esi
    "6a21"  #                         push  33                  dup2
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "6820a10700"  #                1: push  500000              a timespec: half a millisecond
    "52"  #                           push  rdx
    "bb204e0000"  #                   mov   ebx, 20000
    "498b7d00"  #               wait: mov   rdi, [r13]
    "4885ff"  #                       test  rdi, rdi
    "744c"  #                         jz    env                 no pipe
    "6a02"  #                         push  2                   open
    "58"  #                           pop   rax
    "be01080800"  #                   mov   esi, 0x80801        O_WRONLY | O_NONBLOCK | O_CLOEXEC
    "0f05"  #                         syscall
    "85c0"  #                         test  eax, eax
    "7915"  #                         jns   pipe
    "83f8fa"  #                       cmp   eax, -6             ENXIO: nobody reads yet
    "7539"  #                         jne   env
    "6a23"  #                         push  35                  nanosleep
    "58"  #                           pop   rax
    "4889e7"  #                       mov   rdi, rsp
    "31f6"  #                         xor   esi, esi
    "0f05"  #                         syscall
    "ffcb"  #                         dec   ebx
    "75d6"  #                         jnz   wait
    "eb29"  #                         jmp   env
    "807fff00"  #               pipe: cmp   byte ptr [rdi-1], 0 before its path: whether it is only waited for
    "7523"  #                         jne   env
    "89c7"  #                         mov   edi, eax
    "6a01"  #                         push  1
    "5e"  #                           pop   rsi
    "6a21"  #                         push  33                  dup2
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "6a01"  #                         push  1
    "5f"  #                           pop   rdi
    "6a04"  #                         push  4                   F_SETFL
    "5e"  #                           pop   rsi
    "6a01"  #                         push  1                   O_WRONLY: as pipes are
    "5a"  #                           pop   rdx
    "6a48"  #                         push  72                  fcntl
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "6a01"  #                         push  1                   write: a byte of any kind tells the reader
    "58"  #                           pop   rax
    "89c2"  #                         mov   edx, eax
    "498b7508"  #                     mov   rsi, [r13+8]
    "0f05"  #                         syscall
    "4983c510"  #                env: add   r13, 16             the table
    "6a00"  #                         push  0                   end of the new environment
    "4c89e6"  #                       mov   rsi, r12            this pass goes over the step's
    "4c89eb"  #                       mov   rbx, r13            and looks into the table
    "4531f6"  #                       xor   r14d, r14d          for those without SLURM_
    "48ad"  #                   pass: lodsq
    "4885c0"  #                       test  rax, rax
    "7444"  #                         jz    over
    "8138534c5552"  #                 cmp   dword ptr [rax], 0x52554c53 "SLUR"
    "7506"  #                         jne   1f
    "668178044d5f"  #                 cmp   word ptr [rax+4], 0x5f4d "M_"
    "0f94c1"  #                    1: sete  cl
    "4438f1"  #                       cmp   cl, r14b
    "752b"  #                         jne   keep
    "4889df"  #                       mov   rdi, rbx
    "488b17"  #                 look: mov   rdx, [rdi]
    "4883c708"  #                     add   rdi, 8
    "4885d2"  #                       test  rdx, rdx
    "741c"  #                         jz    keep
    "31c9"  #                         xor   ecx, ecx
    "448a0408"  #               char: mov   r8b, [rax+rcx]
    "443a040a"  #                     cmp   r8b, [rdx+rcx]
    "75e8"  #                         jne   look
    "48ffc1"  #                       inc   rcx
    "4180f83d"  #                     cmp   r8b, '='
    "74bf"  #                         je    pass                the other list has it
    "4584c0"  #                       test  r8b, r8b
    "75e8"  #                         jne   char
    "ebb8"  #                         jmp   pass                (without a '=')
    "50"  #                     keep: push  rax
    "ebb5"  #                         jmp   pass
    "4c89ee"  #                 over: mov   rsi, r13            the second pass: over the table
    "4c89e3"  #                       mov   rbx, r12            looking into the step's
    "41ffc6"  #                       inc   r14d                for those with SLURM_
    "4183fe01"  #                     cmp   r14d, 1
    "74a6"  #                         je    pass
    "488b7d10"  #                     mov   rdi, [rbp+16]       argv[1]
    "488d7518"  #                     lea   rsi, [rbp+24]       &argv[2]
    "4889e2"  #                       mov   rdx, rsp
    "6a3b"  #                         push  59                  execve
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "f7d8"  #                         neg   eax
    "89c3"  #                         mov   ebx, eax            errno
    "4531f6"  #                       xor   r14d, r14d
    "83f802"  #                       cmp   eax, 2              ENOENT: 127, else 126
    "410f94c6"  #                     sete  r14b
    "4183c67e"  #                     add   r14d, 126
    "4c8b6510"  #                     mov   r12, [rbp+16]
    "4d85e4"  #                       test  r12, r12
    "745c"  #                         jz    end
    "83f802"  #                       cmp   eax, 2
    "7510"  #                         jne   say
    "4c89e7"  #                       mov   rdi, r12
    "31f6"  #                         xor   esi, esi
    "6a15"  #                         push  21                  access: is the file itself there?
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "85c0"  #                         test  eax, eax
    "7502"  #                         jnz   say
    "b3ff"  #                         mov   bl, 255             then what it names is not
    "498b75f8"  #                say: mov   rsi, [r13-8]
    "4989f7"  #                       mov   r15, rsi            "exec ", then (errno, length, text) …, 0 for all others
    "4883c605"  #                     add   rsi, 5
    "ac"  #                     seek: lodsb
    "0fb616"  #                       movzx edx, byte ptr [rsi]
    "48ffc6"  #                       inc   rsi
    "84c0"  #                         test  al, al
    "7409"  #                         jz    found
    "38d8"  #                         cmp   al, bl
    "7405"  #                         je    found
    "4801d6"  #                       add   rsi, rdx
    "ebec"  #                         jmp   seek
    "52"  #                    found: push  rdx                 three pieces: the text
    "56"  #                           push  rsi
    "4c89e7"  #                       mov   rdi, r12
    "31c0"  #                         xor   eax, eax
    "4883c9ff"  #                     or    rcx, -1
    "f2ae"  #                         repne scasb
    "48f7d1"  #                       not   rcx
    "48ffc9"  #                       dec   rcx
    "51"  #                           push  rcx                 the program
    "4154"  #                         push  r12
    "6a05"  #                         push  5                   "exec "
    "4157"  #                         push  r15
    "6a02"  #                         push  2
    "5f"  #                           pop   rdi
    "4889e6"  #                       mov   rsi, rsp
    "6a03"  #                         push  3
    "5a"  #                           pop   rdx
    "6a14"  #                         push  20                  writev
    "58"  #                           pop   rax
    "0f05"  #                         syscall
    "4489f7"  #                  end: mov   edi, r14d
    "b8e7000000"  #                   mov   eax, 231            exit_group
    "0f05"  #                         syscall                 the data begins at a multiple of 8
)
