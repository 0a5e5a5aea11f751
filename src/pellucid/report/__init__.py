"""The report of a run: findings made once, told section by section, written as one page.

Imported by workflows, the command line and the studio.
"""
