// Writers for socket.io: each writes the row, then emits the event on a separate node that has no clients.
import { createServer } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { createAdapter } from '@socket.io/postgres-adapter'
import pg from 'pg'
import { Server } from 'socket.io'
import { write } from './write.mjs'

const pool = new pg.Pool({ connectionString: process.argv[2] })
const server = createServer().listen(0, '127.0.0.1')
const io = new Server(server, { adapter: createAdapter(pool) })
await write((board, event) => io.to(board).emit('opportunity_updated', event))
while (pool.waitingCount > 0) await setImmediate() // emit() returns before its NOTIFY is sent
await io.close()
await pool.end()
