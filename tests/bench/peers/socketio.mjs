// socket.io with its PostgreSQL adapter: the node that clients are connected to: `node socketio.mjs PORT URL`.
//
// The adapter is for several nodes, so there are two: writes arrive at the other (socketio_write.mjs), and come here by NOTIFY.
// As socket.io's performance tuning says: WebSocket alone, no compression, `bufferutil` installed, and the first request of a
// connection not kept.
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
