// What the API answers, as api/dba_answers.py describes it.

export interface Change {
  seq: number;
  at: string;
  actor: string;
  source: string;
  op: string;
  relation: string;
  key: string | null;
  board: string | null;
  title: string | null;
  changes: string | null;
  version: number | null;
  xid: string;
  step: string;
  origin: string | null;
  application: string | null;
  client_addr: string | null;
  db_user: string;
  pid: number;
  rang: boolean;
}

export type Image = Record<string, unknown> | null;

export interface WholeChange extends Change {
  old: Image;
  new: Image;
}

export interface Step {
  step: string;
  at: string | null;
  what: string;
}

export interface Story {
  change: WholeChange;
  transaction: Change[];
  transaction_whole: boolean;
  explain: Step[];
}

export interface LogPage {
  changes: Change[];
  next: number | null;
  back: string | null;
  whole: boolean;
  cursor: string | null;
}

export interface Check {
  topic: string;
  status: "ok" | "warning" | "bad" | "unknown";
  found: string | null;
  cure: string | null;
}

export interface Instance {
  instance: string;
  service: string;
  alive: boolean;
  ready: boolean;
  listens: boolean;
  connections: number;
  pacer: boolean;
  cursor: string;
  anchor: number;
  behind: number | null;
  lag_seconds: number | null;
  idle_seconds: number;
  silent_seconds: number;
  started: string;
  tailer: string;
  listener: string;
}

export interface Trigger {
  relation: string;
  trigger: string;
  state: string;
  function: string;
  key: string[] | null;
  board: string | null;
  calls: number | null;
  us_per_call: number | null;
}

export interface Piece {
  piece: string;
  first_seq: number | null;
  first_at: string | null;
  last_seq: number | null;
  last_at: string | null;
  changes: number;
  bytes: number;
}

export interface Gap {
  at: string;
  board: string;
  user_id: string | null;
  cause: string;
  meaning: string;
  cards: string[];
  expected_count: number;
  held_count: number;
  cursor: string;
  instance: string;
}

export interface Flag {
  flag: "realtime" | "bell" | "capture";
  scope: "everybody" | "share" | "user";
  user_id: string | null;
  share: number | null;
  value: string;
  at: string;
  who: string;
}

export interface Overview {
  at: string;
  health: Check[];
  instances: Instance[];
  triggers: Trigger[];
  retention: Piece[];
  flags: Flag[];
  kept_seconds: number;
  gaps: Gap[];
}

export type Column = (number | null)[];

/** Seconds of a piece, and columns as long as their `at`, which is seconds since 1970. */
export interface Series {
  step: number;
  written: Record<string, Column> & { at: number[] };
  told: Record<string, Column> & { at: number[] };
  gauges: Record<string, Column> & { at: number[] };
}

export interface Person {
  id: string;
  name: string;
}

export interface Me {
  user: Person;
  expiresAt: string;
  roles: string[];
}
