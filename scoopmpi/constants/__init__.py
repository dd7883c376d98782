"""Shared constants: what a rank keeps of them, and how all ranks come to have them.

Values are packed and unpacked here. When one may be set, and who waits for whom, is decided by the
backends of farm and worker; nothing here knows tasks or jobs.
"""
