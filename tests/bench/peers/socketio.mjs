// socket.io with its PostgreSQL adapter: the node that clients are connected to: `node socketio.mjs PORT URL`.
//
// The adapter connects several nodes, so there are two: the writers emit on the other one (socketio_write.mjs), and NOTIFY brings the
// events here.
// Tuned as socket.io's documentation advises: WebSocket only, no compression, `bufferutil` installed, and the first request of a
// connection is discarded.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/postgres-adapter'
import pg from 'pg'
import { Server } from 'socket.io'

const [port, url] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url })
await pool.query(`
  CREATE TABLE IF NOT EXISTS public.socket_io_attachments (
      id          bigserial UNIQUE,
      created_at  timestamptz DEFAULT NOW(),
      payload     bytea
  )`)
const server = createServer()
const io = new Server(server, {
  adapter: createAdapter(pool),
  transports: ['websocket'],
  perMessageDeflate: false,
})
io.engine.on('connection', (raw) => {
  raw.request = null
})
io.on('connection', (socket) => {
  socket.join('b')
  socket.emit('ready')
})
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
