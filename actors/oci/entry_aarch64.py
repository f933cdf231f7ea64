"""The entry file's machine code for aarch64: see ``entry``, which says what it does and what lies behind it."""

CODE = b"".join(
    word.to_bytes(4, "little")
    for word in (
        0xF94003E9,  #       ldr   x9, [sp]               argc, argv …, 0, envp …, 0
        0x910003EA,  #       mov   x10, sp
        0x8B090D4B,  #       add   x11, x10, x9, lsl 3
        0x9100416B,  #       add   x11, x11, 16           the step's variables
        0x100012CC,  #       adr   x12, data              input, pipe, the texts, the table of variables
        0xA9BF7FFF,  #       stp   xzr, xzr, [sp, -16]!   a sigaction of zeros: SIG_DFL
        0xA9BF7FFF,  #       stp   xzr, xzr, [sp, -16]!
        0x910003E1,  #       mov   x1, sp
        0xD2800002,  #       mov   x2, 0
        0xD2800103,  #       mov   x3, 8
        0x52800813,  #       mov   w19, 64
        0x2A1303E0,  #    1: mov   w0, w19
        0xD28010C8,  #       mov   x8, 134                rt_sigaction
        0xD4000001,  #       svc   0
        0x71000673,  #       subs  w19, w19, 1
        0x54FFFF81,  #       b.ne  1b
        0x52800040,  #       mov   w0, 2                  SIG_SETMASK
        0xD28010E8,  #       mov   x8, 135                rt_sigprocmask: none is blocked
        0xD4000001,  #       svc   0
        0xF8408581,  #       ldr   x1, [x12], 8
        0xB4000121,  #       cbz   x1, 1f                 standard input stays
        0x92800C60,  #       mov   x0, -100               AT_FDCWD
        0x52A00102,  #       mov   w2, 0x80000            O_RDONLY | O_CLOEXEC
        0xD2800708,  #       mov   x8, 56                 openat
        0xD4000001,  #       svc   0
        0x52800001,  #       mov   w1, 0
        0x52800002,  #       mov   w2, 0
        0xD2800308,  #       mov   x8, 24                 dup3
        0xD4000001,  #       svc   0
        0xD2942400,  #    1: mov   x0, 0xa120             a timespec: half a millisecond
        0xF2A000E0,  #       movk  x0, 7, lsl 16
        0xA9BF03FF,  #       stp   xzr, x0, [sp, -16]!
        0x5289C413,  #       mov   w19, 20000
        0xF9400181,  # wait: ldr   x1, [x12]
        0xB4000401,  #       cbz   x1, env                no pipe
        0x92800C60,  #       mov   x0, -100               AT_FDCWD
        0x52810022,  #       mov   w2, 0x801              O_WRONLY | O_NONBLOCK | O_CLOEXEC
        0x72A00102,  #       movk  w2, 8, lsl 16
        0xD2800708,  #       mov   x8, 56                 openat
        0xD4000001,  #       svc   0
        0x36F80140,  #       tbz   w0, 31, pipe
        0x3100181F,  #       cmn   w0, 6                  ENXIO: nobody reads yet
        0x54000301,  #       b.ne  env
        0x910003E0,  #       mov   x0, sp
        0xD2800001,  #       mov   x1, 0
        0xD2800CA8,  #       mov   x8, 101                nanosleep
        0xD4000001,  #       svc   0
        0x71000673,  #       subs  w19, w19, 1
        0x54FFFE21,  #       b.ne  wait
        0x14000011,  #       b     env
        0x385FF022,  # pipe: ldurb w2, [x1, -1]           before its path: whether it is only waited for
        0x350001E2,  #       cbnz  w2, env
        0x52800021,  #       mov   w1, 1
        0x52800002,  #       mov   w2, 0
        0xD2800308,  #       mov   x8, 24                 dup3
        0xD4000001,  #       svc   0
        0x52800020,  #       mov   w0, 1
        0x52800081,  #       mov   w1, 4                  F_SETFL
        0x52800022,  #       mov   w2, 1                  O_WRONLY: as pipes are
        0xD2800328,  #       mov   x8, 25                 fcntl
        0xD4000001,  #       svc   0
        0x52800020,  #       mov   w0, 1
        0xF9400581,  #       ldr   x1, [x12, 8]
        0x52800022,  #       mov   w2, 1
        0xD2800808,  #       mov   x8, 64                 write: a byte of any kind tells the reader
        0xD4000001,  #       svc   0
        0xF9400596,  #  env: ldr   x22, [x12, 8]          the texts
        0x9100418C,  #       add   x12, x12, 16           the table
        0xD2898A6D,  #       mov   x13, 0x4c53            "SL"
        0xF2AA4AAD,  #       movk  x13, 0x5255, lsl 16    "UR"
        0xF2CBE9AD,  #       movk  x13, 0x5f4d, lsl 32    "M_"
        0xF81F0FFF,  #       str   xzr, [sp, -16]!        end of the new environment
        0x910003F4,  #       mov   x20, sp                (sp itself stays a multiple of 16)
        0xAA0B03EE,  #       mov   x14, x11               this pass goes over the step's
        0xAA0C03EF,  #       mov   x15, x12               and looks into the table
        0x52800010,  #       mov   w16, 0                 for those without SLURM_
        0xF84085C0,  # pass: ldr   x0, [x14], 8
        0xB4000380,  #       cbz   x0, over
        0xB9400001,  #       ldr   w1, [x0]
        0x6B0D003F,  #       cmp   w1, w13
        0x54000081,  #       b.ne  1f
        0x79400801,  #       ldrh  w1, [x0, 4]
        0xD360FDA2,  #       lsr   x2, x13, 32
        0x6B02003F,  #       cmp   w1, w2
        0x1A9F17E1,  #    1: cset  w1, eq
        0x6B10003F,  #       cmp   w1, w16
        0x540001C1,  #       b.ne  keep
        0xAA0F03E3,  #       mov   x3, x15
        0xF8408464,  # look: ldr   x4, [x3], 8
        0xB4000164,  #       cbz   x4, keep
        0xD2800005,  #       mov   x5, 0
        0x38656806,  # char: ldrb  w6, [x0, x5]
        0x38656887,  #       ldrb  w7, [x4, x5]
        0x6B0700DF,  #       cmp   w6, w7
        0x54FFFF41,  #       b.ne  look
        0x910004A5,  #       add   x5, x5, 1
        0x7100F4DF,  #       cmp   w6, '='
        0x54FFFD60,  #       b.eq  pass                   the other list has it
        0x35FFFF26,  #       cbnz  w6, char
        0x17FFFFE9,  #       b     pass                   (without a '=')
        0xD1002294,  # keep: sub   x20, x20, 8
        0x927CEE95,  #       and   x21, x20, -16
        0x910002BF,  #       mov   sp, x21
        0xF9000280,  #       str   x0, [x20]
        0x17FFFFE4,  #       b     pass
        0xAA0C03EE,  # over: mov   x14, x12               the second pass: over the table
        0xAA0B03EF,  #       mov   x15, x11               looking into the step's
        0x11000610,  #       add   w16, w16, 1            for those with SLURM_
        0x7100061F,  #       cmp   w16, 1
        0x54FFFBE0,  #       b.eq  pass
        0xF9400940,  #       ldr   x0, [x10, 16]          argv[1]
        0x91006141,  #       add   x1, x10, 24            &argv[2]
        0xAA1403E2,  #       mov   x2, x20
        0xD2801BA8,  #       mov   x8, 221                execve
        0xD4000001,  #       svc   0
        0x4B0003F3,  #       neg   w19, w0                errno
        0x71000A7F,  #       cmp   w19, 2                 ENOENT: 127, else 126
        0x52800FD7,  #       mov   w23, 126
        0x1A9716F7,  #       cinc  w23, w23, eq
        0xF9400954,  #       ldr   x20, [x10, 16]
        0xB40003F4,  #       cbz   x20, end
        0x54000101,  #       b.ne  say
        0x92800C60,  #       mov   x0, -100
        0xAA1403E1,  #       mov   x1, x20
        0xD2800002,  #       mov   x2, 0
        0xD2800608,  #       mov   x8, 48                 faccessat: is the file itself there?
        0xD4000001,  #       svc   0
        0x35000040,  #       cbnz  w0, say
        0x52801FF3,  #       mov   w19, 255               then what it names is not
        0x910016C1,  #  say: add   x1, x22, 5             "exec ", then (errno, length, text) …, 0 for all others
        0x38401422,  # seek: ldrb  w2, [x1], 1
        0x38401423,  #       ldrb  w3, [x1], 1
        0x340000A2,  #       cbz   w2, found
        0x6B13005F,  #       cmp   w2, w19
        0x54000060,  #       b.eq  found
        0x8B030021,  #       add   x1, x1, x3
        0x17FFFFFA,  #       b     seek
        0xA9BF0FE1,  # found: stp   x1, x3, [sp, -16]!     three pieces: the text
        0xD2800001,  #       mov   x1, 0
        0x38616A82,  #    1: ldrb  w2, [x20, x1]
        0x34000062,  #       cbz   w2, 2f
        0x91000421,  #       add   x1, x1, 1
        0x17FFFFFD,  #       b     1b
        0xA9BF07F4,  #    2: stp   x20, x1, [sp, -16]!    the program
        0xD28000A1,  #       mov   x1, 5
        0xA9BF07F6,  #       stp   x22, x1, [sp, -16]!    "exec "
        0x52800040,  #       mov   w0, 2
        0x910003E1,  #       mov   x1, sp
        0x52800062,  #       mov   w2, 3
        0xD2800848,  #       mov   x8, 66                 writev
        0xD4000001,  #       svc   0
        0x2A1703E0,  #  end: mov   w0, w23
        0xD2800BC8,  #       mov   x8, 94                 exit_group
        0xD4000001,  #       svc   0
    )
)
