-- For this transaction: the statement is short, so compiling it would take longer, and its sorts fit into memory.
SELECT set_config('jit', 'off', true), set_config('work_mem', '32MB', true)
