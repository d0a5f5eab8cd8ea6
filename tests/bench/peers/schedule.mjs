// Open loop: signals the main thread when each write is due, to a tenth of a millisecond, which setTimeout cannot do.
import { parentPort, workerData } from 'node:worker_threads'

const cell = new Int32Array(new SharedArrayBuffer(4))
const { begin, rate, count } = workerData

for (let mark = 0; mark < count; mark += 1) {
  const due = begin + (BigInt(mark) * 1_000_000_000n) / BigInt(rate)
  const early = Number(due - process.hrtime.bigint()) / 1e6
  if (early > 0) Atomics.wait(cell, 0, 0, early)
  parentPort.postMessage([mark, Number(due)])
}
