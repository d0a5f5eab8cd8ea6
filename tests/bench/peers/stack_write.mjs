// Writers of the original design's stack: the row, then the event to Redis, whose address is in REDIS_URL.
import { createClient } from 'redis'
import { write } from './write.mjs'

const bus = createClient({ url: process.env.REDIS_URL })
await bus.connect()
await write((_, event) => bus.publish('opportunities', JSON.stringify(event)))
await bus.quit()
