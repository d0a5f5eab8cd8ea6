// The least that a page can do with the same rows: a line of text for each, changed in place as each message arrives.
document.head.append(Object.assign(document.createElement("style"), { textContent: "body { display: flex; height: 95vh } ol { flex: 1; overflow: auto }" }));
document.body.replaceChildren();
const get = async (path, method = "GET") => (await fetch(path, { method })).json();
const start = async () => {
  const [snapshot, { token, user }, { feedUrl }] = await Promise.all([get("/api/boards/deals"), get("/api/auth/refresh", "POST"), get("/api/config")]);
  const rows = new Map();
  const lists = new Map();
  const write = ([row, line]) => (line.textContent = `${row.title} ${row.company} ${row.value}`);
  for (const { id } of snapshot.board.phases) lists.set(id, document.body.appendChild(document.createElement("ol")));
  for (const row of snapshot.opportunities) {
    const line = Object.assign(document.createElement("li"));
    line.dataset.card = row.id;
    rows.set(row.id, [row, line]);
    write([row, line]);
    lists.get(row.phase).append(line);
  }
  const socket = new WebSocket(`${feedUrl.replace("http", "ws")}/ws`, ["boardcast.v1"]);
  socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token, userId: user.id, batch: true, cursor: snapshot.cursor }));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "auth_success") document.body.dataset.status = "live";
    for (const event of message.type === "batch" ? message.events : [message]) {
      if (!event.changes) continue;
      const known = rows.get(event.opportunityId);
      Object.assign(known[0], event.changes);
      write(known);
      if (event.type === "opportunity_moved") lists.get(known[0].phase).append(known[1]);
    }
  };
};
void start();
