// Writers for the original design's stack: each writes the row, then publishes the event to Redis (REDIS_URL).
import { createClient } from 'redis'
import { write } from './write.mjs'

const bus = createClient({ url: process.env.REDIS_URL })
await bus.connect()
await write((_, event) => bus.publish('opportunities', JSON.stringify(event)))
await bus.quit()
