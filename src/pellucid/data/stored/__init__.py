"""Arrays that stay in their file and are read some rows at a time: data larger than memory.

``base`` has what all of them can do; each kind of file has a module of its own. The readers make them where
``on_disk`` asks for it, and everything else takes them as it takes arrays, by rows.
"""
