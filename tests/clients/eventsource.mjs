// npm's EventSource as it is: what it does with our stream is the stream's affair.
import { EventSource } from "eventsource";

const [url, token] = process.argv.slice(2);
const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
const say = (value) => console.log(JSON.stringify(value));
for (const type of ["auth_success", "opportunity_updated", "reset", "goodbye"]) {
  source.addEventListener(type, (event) => say({ ...JSON.parse(event.data), lastEventId: event.lastEventId }));
}
source.onerror = () => say({ type: "closed", state: source.readyState });
