// The EventSource of npm, unmodified: our stream must work with it.
import { EventSource } from "eventsource";

const [url, token] = process.argv.slice(2);
const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
const print = (value) => console.log(JSON.stringify(value));
for (const type of ["auth_success", "opportunity_updated", "reset", "goodbye"]) {
  source.addEventListener(type, (event) => print({ ...JSON.parse(event.data), lastEventId: event.lastEventId }));
}
source.onerror = () => print({ type: "closed", state: source.readyState });
