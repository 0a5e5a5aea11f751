"""The report of a run: findings made once, presented in sections, written as one page.

Imported by workflows, the command line and the studio.
"""
