import type { BoardState, Feed } from "@boardcast/client";
import { memo } from "react";
import type { BoardOfUser, Person } from "../app/api";
import { Brand } from "../app/Brand";
import { PresentUsers } from "../app/PresentUsers";
import { usePreferences } from "../app/preferences";
import { StatusChip } from "../app/StatusChip";
import { useI18n } from "../i18n";
import { Avatar, BookIcon, ChevronIcon, EyeIcon, LeaveIcon, Menu, type MenuItem } from "../ui";
import type { Filter } from "./filter";
import { Filters } from "./Filters";

/** What the header shows of a board. */
export type HeaderState = Pick<BoardState, "status" | "role" | "members" | "presentUsers" | "pendingCount" | "unanswered" | "conflicts">;

interface Props {
  readonly board: string;
  readonly name: string;
  readonly boards: readonly BoardOfUser[];
  readonly state: HeaderState;
  readonly feed: Feed;
  readonly user: Person;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly onOpenBoard: (board: string) => void;
  readonly onLeave: () => void;
  /** More items of the menu of boards. */
  readonly actions: readonly MenuItem[];
}

export const Header = memo(function Header({ board, name, boards, state, feed, user, filter, onFilter, onOpenBoard, onLeave, actions }: Props) {
  const { t } = useI18n();
  return (
    <header className="bg-surface border-line z-20 flex flex-wrap items-center gap-x-4 gap-y-2 border-b px-3 py-2 sm:px-4">
      <div className="flex min-w-0 items-center gap-2.5">
        <Brand />
        <h1 className="min-w-0">
          <Menu
            label={t("chooseBoard", { name })}
            look="quiet"
            size="md"
            className="text-ink! max-w-[32vw] px-2 text-base font-semibold tracking-tight sm:max-w-72"
            button={
              <>
                <span className="truncate">{name}</span>
                <ChevronIcon className="text-soft" />
              </>
            }
            heading={t("board")}
            items={[
              ...boards.map((each) => ({
                key: each.id,
                label: each.name,
                checked: each.id === board,
                onSelect: () => onOpenBoard(each.id),
                ...(each.archived ? { group: t("settings.archivedBoards") } : {}),
              })),
              ...actions,
            ]}
          />
        </h1>
      </div>
      <StatusChip feed={feed} pending={state.pendingCount} conflicts={state.conflicts.size} unanswered={state.unanswered} />
      {state.role === "viewer" && (
        <span title={t("viewerText")} className="bg-column text-soft inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium">
          <EyeIcon className="size-3.5" />
          {t("viewer")}
        </span>
      )}
      <div className="order-2 grow basis-[60%] empty:hidden sm:order-none sm:ml-auto sm:grow-0 sm:basis-auto">
        {state.status === "ready" && <Filters state={state} me={user.id} filter={filter} onFilter={onFilter} />}
      </div>
      <div className="order-3 flex empty:hidden sm:order-none">
        <PresentUsers users={state.presentUsers} />
      </div>
      <div className="order-1 ml-auto flex sm:order-none sm:ml-0">
        <Account user={user} onLeave={onLeave} />
      </div>
    </header>
  );
});

function Account({ user, onLeave }: Pick<Props, "user" | "onLeave">) {
  const { t } = useI18n();
  const preferences = usePreferences();
  return (
    <Menu
      label={t("account", { name: user.name })}
      button={<Avatar id={user.id} name={user.name} named={false} />}
      className="rounded-full"
      items={[
        ...preferences,
        { key: "docs", label: t("documentation"), icon: <BookIcon className="text-soft size-4" />, group: user.name, onSelect: () => location.assign("/docs") },
        { key: "leave", label: t("signOut"), icon: <LeaveIcon className="text-soft size-4" />, group: user.name, onSelect: onLeave },
      ]}
    />
  );
}
