import { useEffect, useState, type ComponentType } from "react";
import { useI18n } from "../i18n";
import { useToasts } from "../ui";
import { ownBuild, servedBuild } from "./build";

type Load<Props> = () => Promise<ComponentType<Props>>;

interface LazyPart<Props> {
  (props: Props): React.ReactNode;
  /** Load the code before it is needed. */
  readonly preload: () => void;
}

/**
 * A part of the page whose code is loaded when it is first shown. Until then nothing is shown. If the service was upgraded and no longer has the
 * code, the page reloads; what was typed is kept. Otherwise the user can try again. That reloads, too, because browsers do not fetch a module again
 * that they could not load, but only when the service answers: without it, there would be no page any more.
 */
export function lazyPart<Props extends object>(load: Load<Props>): LazyPart<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  const get: Load<Props> = () => {
    loading ??= load().then(
      (part) => (loaded = part),
      (error: unknown) => {
        loading = null; // Safari tries again
        throw error;
      },
    );
    return loading;
  };
  function Part(props: Props): React.ReactNode {
    const Shown = useLoaded(get, () => loaded);
    return Shown && <Shown {...props} />;
  }
  Part.preload = () => void get().catch(() => undefined);
  return Part;
}

function useLoaded<Props>(get: Load<Props>, loaded: () => ComponentType<Props> | null): ComponentType<Props> | null {
  const { t } = useI18n();
  const { show } = useToasts();
  const [part, setPart] = useState(loaded);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const retry = async (): Promise<void> => {
      if (await servedBuild().catch(() => "")) location.reload();
      else setAttempt((before) => before + 1);
    };
    if (part) return;
    let ended = false;
    let hide: () => void = () => undefined;
    get().then(
      (found) => !ended && setPart(() => found),
      async () => {
        const served = await servedBuild().catch(() => "");
        if (served !== "" && served !== ownBuild()) return location.reload();
        if (!ended) hide = show({ text: t("failedNetwork"), tone: "warn", stays: null, action: { label: t("retry"), run: () => void retry() } });
      },
    );
    return () => {
      ended = true;
      hide();
    };
  }, [part, attempt, get, show, t]);
  return part;
}
