-- A log that has grown since it was last analyzed is not to be read from its beginning, nor a plan to be compiled for that.
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;
SET LOCAL work_mem = '32MB'
