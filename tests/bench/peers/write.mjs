// The writers of the peers in JavaScript: `node PEER.mjs URL RATE COUNT WRITERS ROWS SIZE FIRST`, as tests/bench/writers.py
// is called; SIZE is 1.
//
// Invariant: open loop, so a stall counts for every write that it delays. With rate 0, each write starts when the one before has
// ended.
// Prints one JSON list of [mark, due, ended], in ns of the monotonic clock. They do not run in the serving process,
// so that its CPU time covers only delivery.
import { Worker } from 'node:worker_threads'
import pg from 'pg'

const LEAD = 500_000_000n // for the connections

/** Write as the design's route does: the row, which its trigger gives the next version, and then the event. */
export async function write(publish) {
  const [url, ...numbers] = process.argv.slice(2)
  const [rate, count, writers, rows, , first] = numbers.map(Number)
  const clients = await Promise.all(
    Array.from({ length: writers }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    }),
  )
  const done = []

  async function change(place, mark, due) {
    // Each card belongs to one writer, so no writer waits for another's commit.
    const id = `o${Math.floor(Math.random() * Math.floor(rows / writers)) * writers + place}`
    const { rows: found } = await clients[place].query({
      name: 'change',
      text: `UPDATE opportunities SET company = $1 WHERE id = $2
             RETURNING board_id, company, version_number, last_sync_at, last_modified_by`,
      values: [String(mark), id],
    })
    const { board_id: board, last_modified_by: userId, ...changes } = found[0]
    await publish(board, { type: 'opportunity_updated', opportunityId: id, changes, userId, timestamp: new Date().toISOString() })
    done.push([mark, due, Number(process.hrtime.bigint())])
  }

  if (rate === 0) {
    await Promise.all(
      clients.map(async (_, place) => {
        for (let mark = place; mark < count; mark += writers) {
          await change(place, first + mark, Number(process.hrtime.bigint()))
        }
      }),
    )
  } else {
    const turns = clients.map(() => Promise.resolve())
    const begin = process.hrtime.bigint() + LEAD
    const clock = new Worker(new URL('schedule.mjs', import.meta.url), { workerData: { begin, rate, count } })
    clock.on('message', ([mark, due]) => {
      const place = mark % writers
      turns[place] = turns[place].then(() => change(place, first + mark, due))
    })
    await new Promise((resolve, reject) => clock.on('exit', resolve).on('error', reject))
    await Promise.all(turns)
  }
  await Promise.all(clients.map((client) => client.end()))
  await new Promise((resolve) => process.stdout.write(JSON.stringify(done), resolve))
}
