# gdb_frames.py - run by gdb: writes the physical frames of every thread, "thread TID", then "pc sp line name" (hexadecimal;
# line 0 = none). Inlined and tail-call frames are gdb's reconstruction and have no registers of their own.
import os

import gdb

gdb.execute("set backtrace past-main on")
gdb.execute("set backtrace limit 4000")
with open(os.environ["GDB_FRAMES"], "w") as out:
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        print("thread %d" % thread.ptid[1], file=out)
        frame = gdb.newest_frame()
        exact = True
        while frame is not None:
            if frame.type() in (gdb.NORMAL_FRAME, gdb.SIGTRAMP_FRAME):
                pc = frame.pc()
                sp = int(frame.read_register("sp")) & 0xFFFFFFFFFFFFFFFF
                line = gdb.find_pc_line(pc if exact or pc == 0 else pc - 1).line
                print("%x %x %d %s" % (pc, sp, line, frame.name()), file=out)
                exact = frame.type() == gdb.SIGTRAMP_FRAME
            try:
                frame = frame.older()
            except gdb.error:
                break
    print("done", file=out)
