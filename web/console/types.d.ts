// The responses of the API, as its schemas describe them.

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
  notified: boolean;
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

export interface ChangeDetail {
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
  fix: string | null;
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
  since_read_seconds: number;
  since_report_seconds: number;
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
  partition: string;
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
  flag: "realtime" | "notify" | "capture" | "seal";
  scope: "everybody" | "percentage" | "user";
  user_id: string | null;
  percentage: number | null;
  value: string;
  at: string;
  set_by: string;
}

export interface Overview {
  at: string;
  health: Check[];
  instances: Instance[];
  triggers: Trigger[];
  retention: Piece[];
  flags: Flag[];
  retention_seconds: number;
  gaps: Gap[];
}

export type Column = (number | null)[];

/** Seconds per interval, and columns as long as their `at`, which is in seconds since 1970. */
export interface Series {
  step: number;
  written: Record<string, Column> & { at: number[] };
  delivered: Record<string, Column> & { at: number[] };
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
