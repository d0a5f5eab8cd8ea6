// The reconnecting-websocket of npm, unmodified; the only addition is to send auth with the cursor on each open.
import ReconnectingWebSocket from "reconnecting-websocket";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
let cursor;
const socket = new ReconnectingWebSocket(url, ["boardcast.v1"], {
  WebSocket,
  minReconnectionDelay: 50,
  maxReconnectionDelay: 200,
});
const print = (value) => console.log(JSON.stringify(value));
socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token, userId: "ana", cursor }));
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  cursor = message.cursor ?? cursor;
  print(message);
};
socket.onclose = ({ code }) => print({ type: "closed", code });
