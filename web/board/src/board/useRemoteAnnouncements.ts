import type { BoardStore, RemoteChange } from "@boardcast/client";
import { useEffect, useRef } from "react";
import { useI18n, type Translate } from "../i18n";
import type { Formats } from "../i18n/formats";
import { useAnnounce } from "./Announcer";
import type { BoardTools } from "./context";

const GATHER = 1500;
const SINGLY = 2;

interface Announcement {
  readonly change: RemoteChange;
  readonly title: string;
}

/** Announces changes of others to screen readers: collected for a moment, a few one by one, more as a number. */
export function useRemoteAnnouncements(store: BoardStore, tools: BoardTools): void {
  const { t, format } = useI18n();
  const announce = useAnnounce();
  const announceAll = useRef<(announcements: readonly Announcement[]) => void>(() => undefined);
  useEffect(() => {
    announceAll.current = (announcements) => announce(announcements.length > SINGLY ? many(announcements, tools, t, format) : announcements.map((each) => one(each, tools, t)).join(" "));
  });
  useEffect(() => {
    let before = store.getState();
    let announcements: Announcement[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = store.subscribe(() => {
      const state = store.getState();
      if (state.lastRemote !== before.lastRemote) {
        const was = before;
        const title = (id: string): string => (state.opportunities.get(id) ?? was.opportunities.get(id))?.title ?? "";
        announcements.push(...state.lastRemote.map((change) => ({ change, title: title(change.id) })));
        timer ??= setTimeout(() => {
          announceAll.current(announcements);
          announcements = [];
          timer = undefined;
        }, GATHER);
      }
      before = state;
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [store]);
}

function one({ change, title }: Announcement, { nameOf, phaseName }: BoardTools, t: Translate): string {
  const name = nameOf(change.userId);
  if (change.kind === "moved") return t("remoteMoved", { name, title, phase: phaseName(change.toPhase ?? "") });
  if (change.kind === "created") return t("remoteCreated", { name, title });
  return t(change.kind === "deleted" ? "remoteDeleted" : "remoteUpdated", { name, title });
}

function many(announcements: readonly Announcement[], { nameOf }: BoardTools, t: Translate, format: Formats): string {
  const names = [...new Set(announcements.map(({ change }) => nameOf(change.userId)))];
  return t("remoteMany", { names: format.list(names), count: announcements.length });
}
