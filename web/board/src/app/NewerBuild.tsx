import { useQuery } from "@tanstack/react-query";
import { useFeed } from "@boardcast/client/react";
import type { Feed } from "@boardcast/client";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { Button, CloseIcon } from "../ui";
import type { Api } from "./api";
import { ownBuild } from "./build";

const EVERY = 5 * 60_000;

/** Shown in a tab that is older than the served page. Checked after a reconnect, when the tab becomes visible, and every few minutes. */
export function NewerBuild({ api, feed }: { readonly api: Api; readonly feed: Feed }) {
  const { t } = useI18n();
  const [dismissed, dismiss] = useState<string | null>(null);
  const { state } = useFeed(feed);
  const own = ownBuild();
  const config = useQuery({ queryKey: ["config"], queryFn: () => api.config(), refetchInterval: EVERY, staleTime: 0, refetchOnWindowFocus: true });
  const { refetch } = config;
  useEffect(() => {
    if (state === "live") void refetch();
  }, [state, refetch]);
  const now = config.data?.build ?? "";
  if (!own || !now || now === own || now === dismissed) return null;
  return (
    <div role="alert" className="bg-accent-soft text-ink border-line flex flex-wrap items-center gap-x-3 gap-y-2 border-b px-4 py-2">
      <p className="min-w-0 flex-1 basis-60">
        <strong className="font-semibold">{t("oldBundle")}</strong> {t("oldBundleText")}
      </p>
      <Button look="primary" size="sm" onClick={() => location.reload()}>
        {t("reload")}
      </Button>
      <Button look="quiet" size="icon" aria-label={t("close")} onClick={() => dismiss(now)}>
        <CloseIcon />
      </Button>
    </div>
  );
}
