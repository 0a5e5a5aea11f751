from .write_files import start as start
