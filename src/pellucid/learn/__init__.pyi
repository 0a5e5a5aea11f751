from .coach import check as check
from .coach import check_folder as check_folder
from .write_files import start as start
