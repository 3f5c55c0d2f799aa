"""What is not ready yet runs, but is not up."""

import sys

sys.path.insert(0, sys.argv[1])
import s6gen

print(s6gen.status("slow"), s6gen.is_running("slow"), s6gen.status_all()["slow"])
