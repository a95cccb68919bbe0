# gdb_frames.py - run by gdb: writes the physical frames of every thread, "thread TID", then "pc sp name" (hexadecimal).
# Inlined and tail-call frames are gdb's reconstruction and have no registers of their own.
import os

import gdb

gdb.execute("set backtrace past-main on")
gdb.execute("set backtrace limit 4000")
with open(os.environ["GDB_FRAMES"], "w") as out:
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        print("thread %d" % thread.ptid[1], file=out)
        frame = gdb.newest_frame()
        while frame is not None:
            if frame.type() in (gdb.NORMAL_FRAME, gdb.SIGTRAMP_FRAME):
                sp = int(frame.read_register("sp")) & 0xFFFFFFFFFFFFFFFF
                print("%x %x %s" % (frame.pc(), sp, frame.name()), file=out)
            try:
                frame = frame.older()
            except gdb.error:
                break
    print("done", file=out)
