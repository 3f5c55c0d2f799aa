#!/usr/bin/python3
import os
print(os.environ["NUMBER"])
