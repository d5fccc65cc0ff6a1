"""Asks a binhost for its index as Portage does (dbapi/bintree.py), and prints what came of it."""

import email.utils
import gzip
import os
import re
import sys
import urllib.error
import urllib.request

uri, kept = sys.argv[1:]
fields = {"User-Agent": "Gentoo Portage", "Accept-Encoding": "bzip2,gzip,deflate"}
if os.path.exists(kept):
    # The file has the time that the index gives itself, some seconds before it was written.
    since = os.path.getmtime(kept) + 5
    fields["If-Modified-Since"] = email.utils.formatdate(since, usegmt=True)

for name in ("Packages.gz", "Packages"):
    request = urllib.request.Request(f"{uri}/{name}", headers=fields)
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        if error.code == 404 and name == "Packages.gz":
            continue
        print("up-to-date" if error.code == 304 else error.code)
        break
    index = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        index = gzip.decompress(index)
    if name == "Packages.gz":
        index = gzip.decompress(index)
    with open(kept, "wb") as file:
        file.write(index)
    timestamp = int(re.search(rb"^TIMESTAMP: (\d+)$", index, re.MULTILINE)[1])
    os.utime(kept, (timestamp, timestamp))
    print(name)
    break
