// An existing application: Express and Drizzle, with an endpoint that its page polls every few seconds. It shares only the secret for
// signing tokens with boardcast: `DATABASE_URL=… JWT_SECRET=… node legacy.mjs`.
import { createHmac } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { numeric, pgTable, timestamp, varchar } from "drizzle-orm/pg-core";
import express from "express";
import pg from "pg";

const users = pgTable("users", { id: varchar("id").primaryKey(), name: varchar("name", { length: 200 }).notNull() });
const opportunities = pgTable("opportunities", {
  id: varchar("id").primaryKey().default(sql`gen_random_uuid()`),
  title: varchar("title", { length: 200 }).notNull(),
  value: numeric("value"),
  phase: varchar("phase").notNull().default("prospecting"),
  ownerId: varchar("ownerId").references(() => users.id),
  updatedAt: timestamp("updated_at").notNull().defaultNow(),
});
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
const db = drizzle({ client: pool });

function token(user) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, iat: exp - 3600, exp })}`;
  const signature = createHmac("sha256", process.env.JWT_SECRET).update(text).digest("base64url");
  return { token: `${text}.${signature}`, userId: user, expires: exp * 1000 };
}

const app = express();
app.use(express.json());
app.get("/opportunities", async (_, response) => response.json(await db.select().from(opportunities).orderBy(opportunities.id)));
app.post("/opportunities", async ({ body }, response) => response.json((await db.insert(opportunities).values(body).returning())[0]));
app.patch("/opportunities/:id", async ({ body, params }, response) => {
  const [row] = await db.update(opportunities).set(body).where(eq(opportunities.id, params.id)).returning();
  response.status(row ? 200 : 404).json(row ?? {});
});
app.delete("/opportunities/:id", async ({ params }, response) => {
  await db.delete(opportunities).where(eq(opportunities.id, params.id));
  response.status(204).end();
});
// A real application takes the user from its session.
app.get("/realtime-token", ({ query }, response) => response.json(token(query.user)));

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
