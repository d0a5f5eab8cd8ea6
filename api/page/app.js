// The first board: plain, live, small. Cards are kept by version, so an event that is older than what is shown changes nothing.
const WORDS = {
  pt: { board: "Quadro", welcome: "Bem-vindo ao boardcast", pick: "Entre como:", leave: "Sair", docs: "API", move: "mover para…",
    live: "ao vivo", wait: "conectando…", down: "sem conexão", off: "", due: "até", none: "Nenhum quadro para você ainda.",
    changed: "Outra pessoa mudou este cartão antes. Veja como ele está agora.", failed: "Não deu certo: ", readonly: "Seu papel neste quadro é só de leitura.",
    noDemo: "Entre pelo seu provedor: o login de demonstração está desligado.", network: "o servidor não responde" },
  en: { board: "Board", welcome: "Welcome to boardcast", pick: "Sign in as:", leave: "Sign out", docs: "API", move: "move to…",
    live: "live", wait: "connecting…", down: "no connection", off: "", due: "by", none: "No board of yours yet.",
    changed: "Somebody changed this card first. This is how it is now.", failed: "That did not work: ", readonly: "You may only read this board.",
    noDemo: "Sign in with your provider: the demo's sign-in is off.", network: "the server does not answer" },
};
const lang = navigator.language.toLowerCase().startsWith("pt") ? "pt" : "en";
const locale = lang === "pt" ? "pt-BR" : "en";
const t = (key) => WORDS[lang][key];
const $ = (id) => document.getElementById(id);
const state = { board: null, role: "viewer", members: new Map(), cards: new Map(), gone: new Map(), source: null, attempt: 0, timer: 0, frame: 0, flashed: new Set(), generation: 0 };

document.documentElement.lang = locale;
for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function money(value, currency) {
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency, maximumFractionDigits: value % 1 ? 2 : 0 }).format(value);
  } catch {
    return `${currency} ${value}`;
  }
}

function notice(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text || "";
  clearTimeout(notice.timer);
  if (text) notice.timer = setTimeout(() => notice(""), 8000);
}

function status(name) {
  $("status").dataset.state = name;
  $("status").querySelector("b").textContent = t(name);
}

async function call(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw Object.assign(new Error(t("network")), { status: 0 });
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw Object.assign(new Error(answer?.title ?? response.statusText), { status: response.status, answer });
  return answer;
}

// ---- signing in

async function start() {
  try {
    const { user } = await call("GET", "/api/auth/me");
    $("name").textContent = user.name;
    $("leave").hidden = false;
    $("login").hidden = true;
    await chooseBoard();
  } catch (error) {
    if (error.status === 401) return showLogin();
    notice(t("failed") + error.message);
    status("down");
    later(start);
  }
}

async function showLogin() {
  disconnect();
  status("off");
  for (const id of ["board", "boards", "leave"]) $(id).hidden = true;
  $("name").textContent = "";
  $("login").hidden = false;
  const { users } = await call("GET", "/api/auth/users").catch(() => ({ users: null }));
  if (!users) return notice(t("noDemo"));
  $("people").replaceChildren(...users.map(({ id, name }) => element("button", {
    type: "button", textContent: name,
    onclick: () => call("POST", "/api/auth/token", { user: id }).then(start, (error) => notice(t("failed") + error.message)),
  })));
}

$("leave").onclick = () => call("DELETE", "/api/auth/token").finally(showLogin);

// ---- the board

async function listBoards() {
  const { boards } = await call("GET", "/api/boards");
  const chosen = $("boards").value || location.hash.slice(1);
  $("boards").replaceChildren(...boards.map(({ id, name }) => new Option(name, id)));
  $("boards").hidden = !boards.length;
  $("boards").value = boards.some(({ id }) => id === chosen) ? chosen : (boards[0]?.id ?? "");
}

async function chooseBoard() {
  await listBoards();
  if ($("boards").value) return load();
  disconnect();
  $("board").hidden = true;
  notice(t("none"));
}

$("boards").onchange = () => { location.hash = $("boards").value; load(); };

async function load() {
  const generation = disconnect();
  status("wait");
  try {
    const shown = await call("GET", `/api/boards/${encodeURIComponent($("boards").value)}`);
    await listBoards(); // after the snapshot: a board granted since is in its events
    if (generation !== state.generation) return;
    state.attempt = 0;
    state.board = shown.board;
    state.role = shown.role;
    state.members = new Map(shown.members.map(({ userId, name }) => [userId, name]));
    state.cards = new Map(shown.opportunities.map((card) => [card.id, card]));
    state.gone = new Map();
    $("board").hidden = false;
    draw();
    connect(shown.cursor);
  } catch (error) {
    if (generation !== state.generation) return;
    if (error.status === 401) return showLogin();
    if (error.status === 404) return chooseBoard();
    status("down");
    later(load);
  }
}

function later(action) {
  const ceiling = Math.min(30000, 500 * 2 ** state.attempt++);
  clearTimeout(state.timer);
  state.timer = setTimeout(action, ceiling / 2 + (Math.random() * ceiling) / 2);
}

// However many events arrive, the board is drawn once per frame.
function draw(flashed) {
  if (flashed) state.flashed.add(flashed);
  state.frame ||= requestAnimationFrame(() => { state.frame = 0; paint(); state.flashed.clear(); });
}

function paint() {
  const kept = document.activeElement?.closest?.("li")?.dataset.id;
  const columns = new Map(state.board.phases.map((phase) => [phase.id, []]));
  // A phase that the board does not name (another program may write any) gets a column of its own: no card is ever out of sight.
  for (const card of state.cards.values()) columns.set(card.phase, [...(columns.get(card.phase) ?? []), card]);
  const names = new Map(state.board.phases.map((phase) => [phase.id, phase.name]));
  const phases = [...columns.keys()].map((id) => ({ id, name: names.get(id) ?? (id || "—") }));
  $("board").replaceChildren(...phases.map((phase) => {
    const cards = columns.get(phase.id).sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : a.id < b.id ? -1 : 1));
    const sums = new Map();
    for (const { currency, value } of cards) if (value !== null) sums.set(currency, (sums.get(currency) ?? 0) + value);
    const sum = [...sums].map(([currency, total]) => money(total, currency)).join(" + ");
    const title = element("h2", {}, phase.name, element("span", { textContent: cards.length }));
    const list = element("ul", {}, ...cards.map((card) => drawn(card, state.flashed.has(card.id))));
    list.setAttribute("aria-label", phase.name);
    return element("section", {}, title, element("p", { className: "sum", textContent: sum || "—" }), list);
  }));
  if (kept) $("board").querySelector(`[data-id="${CSS.escape(kept)}"] select`)?.focus();
}

function drawn(card, flash) {
  const item = element("li", { className: flash ? "flash" : "" }, element("h3", { textContent: card.title }));
  item.dataset.id = card.id;
  item.dataset.version = card.version_number;
  if (card.company) item.append(element("p", { textContent: card.company }));
  if (card.value !== null) item.append(element("p", { className: "value", textContent: money(card.value, card.currency) }));
  const due = card.expected_close_date && `${t("due")} ${new Date(`${card.expected_close_date}T12:00`).toLocaleDateString(locale)}`;
  item.append(element("p", { className: "foot" },
    element("span", { textContent: state.members.get(card.owner_id) ?? card.owner_id ?? "" }), element("span", { textContent: due ?? "" })));
  if (state.role !== "viewer") {
    const others = state.board.phases.filter((phase) => phase.id !== card.phase).map((phase) => new Option(phase.name, phase.id));
    const select = element("select", { onchange: () => move(card, select.value) }, new Option(t("move"), ""), ...others);
    select.setAttribute("aria-label", `${card.title}: ${t("move")}`);
    item.append(select);
  }
  return item;
}

async function move(card, phase) {
  if (!phase) return;
  try {
    put(await call("PATCH", `/api/opportunities/${encodeURIComponent(card.id)}`, { phase }, { "If-Match": `"v${card.version_number}"` }));
  } catch (error) {
    if (error.status === 401) return showLogin();
    if (error.status === 412) {
      put(error.answer.current);
      notice(t("changed"));
    } else {
      notice(error.status === 403 ? t("readonly") : t("failed") + error.message);
      draw();
    }
  }
}

// ---- what others do

function put(card) {
  const known = state.cards.get(card.id)?.version_number ?? state.gone.get(card.id) ?? 0;
  if (card.version_number <= known) return;
  if (card.board_id === state.board.id) state.cards.set(card.id, card);
  else state.cards.delete(card.id);
  draw(card.id);
}

function changed(event) {
  const card = state.cards.get(event.opportunityId);
  if (!card || event.boardId !== state.board.id || event.version <= card.version_number) return;
  put({ ...card, ...event.changes, version_number: event.version });
}

function removed(event) {
  if (event.boardId !== state.board.id) return;
  state.gone.set(event.opportunityId, event.version ?? 0);
  if (state.cards.delete(event.opportunityId)) draw();
}

const HANDLERS = {
  opportunity_created: (event) => { if (event.boardId === state.board.id) { state.gone.delete(event.opportunity.id); put(event.opportunity); } },
  opportunity_updated: changed,
  opportunity_moved: changed,
  opportunity_deleted: removed,
  resync: (event) => { if (!event.boardId || event.boardId === state.board.id) load(); },
  reset: () => load(),
  board_granted: (event) => (event.boardId === state.board.id ? load() : listBoards()),
  board_revoked: (event) => (event.boardId === state.board.id ? chooseBoard() : listBoards()),
  goodbye: (event) => { disconnect(); status("wait"); state.timer = setTimeout(load, event.retryMs ?? 1000); },
};

function connect(cursor) {
  // All boards, not only this one: a grant of another is news too.
  const source = new EventSource(`/api/events?since=${encodeURIComponent(cursor)}`);
  state.source = source;
  source.addEventListener("auth_success", () => status("live"));
  for (const [type, handle] of Object.entries(HANDLERS)) {
    source.addEventListener(type, (message) => { if (state.source === source) handle(JSON.parse(message.data)); });
  }
  source.onerror = () => {
    if (state.source !== source) return;
    // The browser reconnects by itself until an answer tells it not to: then it gives up for good, and we begin again.
    status(source.readyState === EventSource.CLOSED ? "down" : "wait");
    if (source.readyState === EventSource.CLOSED) later(load);
  };
}

function disconnect() {
  clearTimeout(state.timer);
  state.source?.close();
  state.source = null;
  return ++state.generation;
}

// A stream that hangs looks alive to the browser: ask the server now and then, so that the dot tells the truth.
setInterval(async () => {
  if (state.source?.readyState !== EventSource.OPEN || document.hidden) return;
  await fetch("/healthz", { signal: AbortSignal.timeout(5000) }).catch(() => { status("down"); later(load); });
}, 15000);
addEventListener("offline", () => status("down"));
addEventListener("hashchange", () => {
  const wanted = location.hash.slice(1);
  if (wanted === $("boards").value || ![...$("boards").options].some(({ value }) => value === wanted)) return;
  $("boards").value = wanted;
  load();
});
addEventListener("online", () => { if (state.board && state.source) load(); });
start();
