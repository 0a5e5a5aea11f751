"""The report of a run: findings made once, presented in sections, written as one page."""
