/** A session by the browser's cookie: its token is for the WebSocket, and its lifetime is measured by the service's clock. */
import type { Http } from "./http.js";
import type { Session } from "./types.js";

export function cookieSession(http: Http): () => Promise<Session> {
  return async () => {
    const { headers, body } = await http.request("POST", "/api/auth/refresh");
    const { token, expiresAt, user } = body as { token: string; expiresAt: string; user: { id: string } };
    const date = Date.parse(headers.get("Date") ?? "");
    const life = Date.parse(expiresAt) - (Number.isNaN(date) ? Date.now() : date);
    return { token, userId: user.id, expires: Date.now() + life };
  };
}
