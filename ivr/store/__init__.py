"""The disk: tables, migrations and the few statements that read and write them. Every table is declared lasting or
live. Never holds a plaintext answer: it is handed sealed bytes."""
