from .bugs import trace_bug as trace_bug
from .bugs import train_bug as train_bug
from .coach import check as check
from .coach import check_folder as check_folder
from .matrix import check_faults as check_faults
from .write_files import start as start
