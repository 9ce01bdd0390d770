from pathlib import Path
def r(a,b):
    global t
    assert a in t, a
    t=t.replace(a,b)
p=Path("tests/core/dead_share.py"); t=p.read_text()
r('''    while True:
        os.read(fuse, 1 << 18)
os.close(fuse)''','''    os.read(fuse, 1 << 18)
    open("%(ran)s-stuck", "w").close()  # from here on
    while True:
        os.read(fuse, 1 << 18)
os.close(fuse)''')
r('''        until(lambda: self._ran.exists() and self._ran.read_text().endswith("\\n"), what="the program to begin")
        pid = int(Path(f"/proc/{int(self._ran.read_text())}/stat").read_text().rpartition(")")[2].split()[1])
        until(lambda: state_of(pid) == "D", what="the program to be stuck")
        return pid
''','''        until(Path(f"{self._ran}-stuck").exists, what="the program to be stuck")
        return int(Path(f"/proc/{int(self._ran.read_text())}/stat").read_text().rpartition(")")[2].split()[1])
''')
p.write_text(t)
p=Path("tests/core/unit/test_function.py"); t=p.read_text()
r('''        assert state_of(pid) == "D"
        stuck''','''        until(lambda: state_of(pid) == "D", what="KILL to do nothing")
        stuck''')
p.write_text(t)
