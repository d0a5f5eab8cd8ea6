import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Feed, type BoardHead } from "@boardcast/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { BoardView } from "../board/BoardView";
import { useI18n } from "../i18n";
import { ServerClockContext, type ServerClock } from "../panel";
import { NewBoard } from "../settings";
import { Button, InboxIcon } from "../ui";
import { useBoardUrl } from "./boardUrl";
import type { Api, BoardOfUser, Start } from "./api";
import { EmptyState, Loading } from "./EmptyState";
import { NewerBuild } from "./NewerBuild";

interface Props {
  readonly api: Api;
  readonly start: Start;
  readonly onLeave: () => void;
  /** The session has expired. */
  readonly onExpire: () => void;
}

/** A user's boards over one feed, for as long as the session lasts. */
export function Workspace({ api, start, onLeave, onExpire }: Props) {
  const { t } = useI18n();
  const [address, open] = useBoardUrl();
  const feed = useFeedOf(start, onExpire);
  const boards = useBoards(api, start, feed);
  useObservedTime(feed, api.clock);
  // Can be used only once: after that it is outdated, and another one is fetched.
  const first = useRef(start.snapshot);
  const [made, setMade] = useState<readonly string[]>([]);
  const [creating, setCreating] = useState(false);
  const created = useCallback(
    ({ id }: BoardHead) => {
      setMade((all) => [...all, id]);
      setCreating(false);
      open(id);
    },
    [open],
  );
  const board = useChosen(address, start, boards, made);

  if (!feed) return <Loading />;
  return (
    <ServerClockContext value={api.clock}>
      <div className="flex h-dvh flex-col overflow-hidden">
        <NewerBuild api={api} feed={feed} />
        {board === undefined ? (
          <main className="flex min-h-0 flex-1 overflow-y-auto">
            <EmptyState icon={<InboxIcon className="size-7" />} title={t("settings.firstTitle")} text={t("settings.firstText")}>
              <Button look="primary" onClick={() => setCreating(true)}>
                {t("settings.firstButton")}
              </Button>
              <Button onClick={onLeave}>{t("signOut")}</Button>
            </EmptyState>
            {creating && <NewBoard http={feed.http} onCreated={created} onClose={() => setCreating(false)} />}
          </main>
        ) : (
          <BoardView key={board} board={board} first={first} boards={boards} feed={feed} user={start.user} onOpenBoard={open} onCreated={created} onLeave={onLeave} />
        )}
      </div>
    </ServerClockContext>
  );
}

/** The board to show: the one in the URL, if it is one of the user's, or was just created. It stays selected when the user loses access, and shows that itself. */
function useChosen(address: string | null, start: Start, boards: readonly BoardOfUser[], made: readonly string[]): string | undefined {
  const choose = (): string | undefined => boards.find(({ id }) => id === address)?.id ?? made.find((id) => id === address) ?? start.snapshot?.board.id ?? boards[0]?.id;
  const [chosen, setChosen] = useState(() => ({ address, board: choose() }));
  if (chosen.address === address && chosen.board !== undefined) return chosen.board;
  const next = { address, board: choose() };
  if (next.board !== chosen.board || address !== chosen.address) setChosen(next);
  return next.board;
}

/** Lets the clock observe the service's timestamps in messages. */
function useObservedTime(feed: Feed | null, clock: ServerClock): void {
  useEffect(
    () =>
      feed?.onDelivery(({ messages }) => {
        for (const message of messages) if ("timestamp" in message) clock.observe(message.timestamp);
      }),
    [feed, clock],
  );
}

function useFeedOf(start: Start, onExpire: () => void): Feed | null {
  const [feed, setFeed] = useState<Feed | null>(null);
  useEffect(() => {
    // A session that has expired shows as a 401 of any request, or through the feed if the cookie belongs to another user by now.
    const watched = async (input: string, init?: RequestInit): Promise<Response> => {
      const response = await fetch(input, init);
      if (response.status === 401) onExpire();
      return response;
    };
    const made = new Feed({ feed: start.config.feedUrl, realtime: start.config.realtime, share: `boardcast.${start.user.id}`, fetch: watched });
    const end = made.onStatus(({ state, problem }) => {
      if (state === "ended" && problem && /token|unauthenticated|wrong_user/.test(problem.code)) onExpire();
    });
    setFeed(made);
    return () => {
      end();
      made.stop();
    };
  }, [start, onExpire]);
  return feed;
}

/** Messages after which the list may have changed. */
const LISTED: readonly string[] = ["board_granted", "board_revoked", "reset"];

/** The user's current boards: memberships come and go while the page is open. */
function useBoards(api: Api, start: Start, feed: Feed | null) {
  const queries = useQueryClient();
  const boards = useQuery({ queryKey: ["boards", start.user.id], queryFn: () => api.boards(), initialData: start.boards });
  useEffect(
    () =>
      feed?.onDelivery(({ messages }) => {
        if (messages.some((message) => LISTED.includes(message.type) || ("table" in message && message.table === "boards"))) {
          void queries.invalidateQueries({ queryKey: ["boards"] });
        }
      }),
    [feed, queries],
  );
  return boards.data;
}
