// The original design's stack: Express, `ws`, and Redis publish/subscribe between the instances: `node stack.mjs PORT REDIS`.
//
// Broadcasts as the documentation of ws shows: one string, sent to each open client; compression is off, as by default. The design's
// EventBatcher is left out: it waits for 100 ms without any event, so under a steady load it never sends.
import { createServer } from 'node:http'
import express from 'express'
import { createClient } from 'redis'
import { WebSocket, WebSocketServer } from 'ws'

const [port, redis] = process.argv.slice(2).map(Number)

class ConnectionManager {
  connections = new Set()

  broadcastToAll(text) {
    for (const client of this.connections) {
      if (client.readyState === WebSocket.OPEN) client.send(text)
    }
  }
}

const manager = new ConnectionManager()
const app = express()
app.get('/healthz', (_, response) => response.json({ status: 'ok' }))
const server = createServer(app)
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false })

sockets.on('connection', (client) => {
  client.once('message', (data) => {
    const { type, userId } = JSON.parse(data)
    if (type !== 'auth' || !userId) return client.close(4401)
    manager.connections.add(client)
    client.send(JSON.stringify({ type: 'auth_success' }))
  })
  client.on('close', () => manager.connections.delete(client))
  client.on('error', () => client.terminate())
})

const bus = createClient({ url: `redis://127.0.0.1:${redis}` })
await bus.connect()
await bus.subscribe('opportunities', (text) => manager.broadcastToAll(text))
server.listen({ port, host: '127.0.0.1', backlog: 4096 })
