"""zipdate.py FILE SECONDS -- give every member of a zip the same date, so that
weaving twice gives the same bytes."""
import sys
import time
import zipfile

path, seconds = sys.argv[1], int(sys.argv[2])
when = max(time.gmtime(seconds)[:6], (1980, 1, 1, 0, 0, 0))
with zipfile.ZipFile(path) as z:
    members = [(i.filename, i.compress_type, z.read(i)) for i in z.infolist()]
with zipfile.ZipFile(path, "w") as z:
    for name, kind, data in members:
        info = zipfile.ZipInfo(name, when)
        info.compress_type = kind
        z.writestr(info, data)
