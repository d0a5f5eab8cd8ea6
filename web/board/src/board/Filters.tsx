import type { BoardState } from "@boardcast/client";
import { useEffect, useRef } from "react";
import { useI18n } from "../i18n";
import { Avatar, ChevronIcon, CloseIcon, Menu, SearchIcon, type MenuItem } from "../ui";
import { NO_FILTER, type Filter, type OwnerFilter } from "./filter";

interface Props {
  readonly state: Pick<BoardState, "members">;
  readonly me: string;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** Search and owner. `/` focuses the search from anywhere except a field; Escape clears it. */
export function Filters({ state, me, filter, onFilter }: Props) {
  const { t } = useI18n();
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
      event.preventDefault();
      search.current?.focus();
      search.current?.select();
    }
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  return (
    <div role="search" className="flex items-center gap-2">
      <label className="relative min-w-0 flex-1 sm:w-64 sm:flex-none">
        <span className="sr-only">{t("search")}</span>
        <SearchIcon className="text-soft pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2" />
        <input
          ref={search}
          type="search"
          value={filter.words}
          placeholder={t("searchHint")}
          aria-keyshortcuts="/"
          onChange={(event) => onFilter({ ...filter, words: event.target.value })}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            if (filter.words) onFilter({ ...filter, words: "" });
            else event.currentTarget.blur();
          }}
          className="bg-bg border-line hover:border-edge placeholder:text-soft focus:outline-accent h-9 w-full rounded-lg border pr-8 pl-8 text-ellipsis focus:outline-2 focus:-outline-offset-1 [&::-webkit-search-cancel-button]:hidden"
        />
        {filter.words ? (
          <button type="button" aria-label={t("clearFilters")} onClick={() => onFilter({ ...filter, words: "" })} className="text-soft hover:text-ink absolute top-1/2 right-1.5 -translate-y-1/2 rounded p-1">
            <CloseIcon className="size-3.5" />
          </button>
        ) : (
          <kbd aria-hidden="true" className="border-line text-soft pointer-events-none absolute top-1/2 right-2 hidden -translate-y-1/2 rounded border px-1.5 font-sans text-[11px] sm:block">
            /
          </kbd>
        )}
      </label>
      <OwnerMenu state={state} me={me} filter={filter} onFilter={onFilter} />
    </div>
  );
}

/** Whether the focused element uses the key itself: a field, or an open dialog. */
function busy(target: EventTarget | null): boolean {
  return document.querySelector("dialog[open]") !== null || (target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]"));
}

function OwnerMenu({ state, me, filter, onFilter }: Props) {
  const { t, format } = useI18n();
  const { owner } = filter;
  const choose = (wanted: OwnerFilter): void => onFilter({ ...filter, owner: wanted });
  const members = [...state.members].sort((a, b) => Number(b.userId === me) - Number(a.userId === me) || format.compare(a.name, b.name));
  const chosen = owner.kind === "user" ? members.find(({ userId }) => userId === owner.id) : undefined;
  const label = chosen?.name ?? t(owner.kind === "unassigned" ? "unassigned" : "everyone");
  const items: readonly MenuItem[] = [
    { key: "*", label: t("everyone"), checked: owner.kind === "everyone", onSelect: () => onFilter({ ...filter, owner: NO_FILTER.owner }) },
    ...members.map(
      ({ userId, name }): MenuItem => ({
        key: `user ${userId}`,
        label: userId === me ? t("me", { name }) : name,
        icon: <Avatar id={userId} name={name} size="sm" named={false} />,
        checked: owner.kind === "user" && owner.id === userId,
        onSelect: () => choose({ kind: "user", id: userId }),
      }),
    ),
    { key: "-", label: t("unassigned"), checked: owner.kind === "unassigned", onSelect: () => choose({ kind: "unassigned" }) },
  ];
  return (
    <Menu
      label={t("filterOwner", { name: label })}
      look="plain"
      size="md"
      heading={t("owner")}
      className={owner.kind === "everyone" ? "max-w-40" : "border-accent! bg-accent-soft! max-w-40"}
      button={
        <>
          {chosen && <Avatar id={chosen.userId} name={chosen.name} size="sm" named={false} className="-ml-1" />}
          <span className="truncate">{label}</span>
          <ChevronIcon className="text-soft" />
        </>
      }
      items={items}
    />
  );
}
