import type { BoardStore, RemoteChange } from "@boardcast/client";
import { useEffect, useRef } from "react";
import { useI18n, type Translate } from "../i18n";
import type { Formats } from "../i18n/formats";
import { useAnnounce } from "./Announcer";
import type { BoardTools } from "./context";

const GATHER = 1500;
const SINGLY = 2;

interface News {
  readonly change: RemoteChange;
  readonly title: string;
}

/** What the others did, for screen readers: gathered for a moment, a few one by one, many as a number. */
export function useRemoteNews(store: BoardStore, tools: BoardTools): void {
  const { t, format } = useI18n();
  const announce = useAnnounce();
  const tell = useRef<(news: readonly News[]) => void>(() => undefined);
  useEffect(() => {
    tell.current = (news) => announce(news.length > SINGLY ? many(news, tools, t, format) : news.map((each) => one(each, tools, t)).join(" "));
  });
  useEffect(() => {
    let before = store.getState();
    let news: News[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = store.subscribe(() => {
      const state = store.getState();
      if (state.lastRemote !== before.lastRemote) {
        const was = before;
        const title = (id: string): string => (state.opportunities.get(id) ?? was.opportunities.get(id))?.title ?? "";
        news.push(...state.lastRemote.map((change) => ({ change, title: title(change.id) })));
        timer ??= setTimeout(() => {
          tell.current(news);
          news = [];
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

function one({ change, title }: News, { nameOf, phaseName }: BoardTools, t: Translate): string {
  const name = nameOf(change.userId);
  if (change.kind === "moved") return t("remoteMoved", { name, title, phase: phaseName(change.toPhase ?? "") });
  if (change.kind === "created") return t("remoteCreated", { name, title });
  return t(change.kind === "deleted" ? "remoteDeleted" : "remoteUpdated", { name, title });
}

function many(news: readonly News[], { nameOf }: BoardTools, t: Translate, format: Formats): string {
  const names = [...new Set(news.map(({ change }) => nameOf(change.userId)))];
  return t("remoteMany", { names: format.list(names), count: news.length });
}
