import type { BoardHead, Feed, Snapshot } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { BoardStore } from "@boardcast/client/store";
import { useEffect, useMemo, useState, type RefObject } from "react";
import { EmptyState, Failed, Skeleton } from "../app/EmptyState";
import type { BoardOfUser, Person } from "../app/api";
import { useI18n } from "../i18n";
import { Button, InboxIcon } from "../ui";
import { Announcer } from "./Announcer";
import { Board } from "./Board";
import { NO_FILTER, type Filter } from "./filter";
import { perFrame } from "./frames";
import { Header, type HeaderState } from "./Header";
import { useBoardMenu } from "./useBoardMenu";

interface Props {
  readonly board: string;
  /** The snapshot that came with the page, until it is used. */
  readonly first: RefObject<Snapshot | null>;
  readonly boards: readonly BoardOfUser[];
  readonly feed: Feed;
  readonly user: Person;
  readonly onOpenBoard: (board: string) => void;
  readonly onCreated: (board: BoardHead) => void;
  readonly onLeave: () => void;
}

/** One board and its store, for as long as it is open. */
export function BoardView(props: Props) {
  const { board, feed, user, first } = props;
  const [store, setStore] = useState<BoardStore | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const made = new BoardStore({ source: feed, http: feed.http, board, userId: user.id, schedule: perFrame(), ...storage() });
    const snapshot = first.current?.board.id === board ? first.current : undefined;
    first.current = null;
    made.start(snapshot).catch(setFailure);
    setStore(made);
    setFailure(null);
    return () => made.stop();
  }, [board, feed, user, first, attempt]);
  if (!store) return null;
  return <Opened {...props} store={store} failure={failure} onRetry={() => setAttempt((before) => before + 1)} />;
}

/** Where drafts and unsent changes survive the page; nowhere if the browser denies storage. */
function storage(): { storage?: Storage } {
  try {
    return { storage: localStorage };
  } catch {
    return {};
  }
}

interface OpenedProps extends Props {
  readonly store: BoardStore;
  readonly failure: unknown;
  readonly onRetry: () => void;
}

function Opened({ store, failure, onRetry, ...props }: OpenedProps) {
  const { t } = useI18n();
  const state = useBoard(store);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const name = state.board?.name ?? props.boards.find(({ id }) => id === props.board)?.name ?? "";
  useEffect(() => {
    document.title = name ? `${name} · boardcast` : "boardcast";
  }, [name]);
  const menu = useBoardMenu({ ...props, store, state, http: props.feed.http, me: props.user.id });
  const { status, role, members, presentUsers, pendingCount, unanswered, conflicts } = state;
  const header = useMemo<HeaderState>(() => ({ status, role, members, presentUsers, pendingCount, unanswered, conflicts }), [status, role, members, presentUsers, pendingCount, unanswered, conflicts]);
  const others = props.boards.filter(({ id }) => id !== props.board);
  return (
    <Announcer>
      <div className="flex min-h-0 flex-1 flex-col overflow-hidden">
        <Header {...props} name={name} actions={menu.items} state={header} filter={filter} onFilter={setFilter} />
        {state.status === "gone" ? (
          <main role="alert" className="flex min-h-0 flex-1 overflow-y-auto">
            <EmptyState icon={<InboxIcon className="size-7" />} title={t("gone")} text={t("goneText")}>
              {others.map(({ id, name: other }) => (
                <Button key={id} onClick={() => props.onOpenBoard(id)}>
                  {t("otherBoard", { name: other })}
                </Button>
              ))}
            </EmptyState>
          </main>
        ) : state.status === "ready" ? (
          <Board store={store} http={props.feed.http} state={state} me={props.user.id} filter={filter} onFilter={setFilter} />
        ) : failure ? (
          <Failed error={failure} onRetry={onRetry} />
        ) : (
          <main aria-busy="true" className="flex min-h-0 flex-1 flex-col">
            <p role="status" className={state.problem ? "bg-warn-soft text-warn-ink px-4 py-2" : "sr-only"}>
              {state.problem ? (state.problem.code === "network" ? t("failedNetwork") : state.problem.message) : t("loading")}
            </p>
            <Skeleton />
          </main>
        )}
        {menu.dialog}
      </div>
    </Announcer>
  );
}
