import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { ProblemError } from "@boardcast/client";
import { useCallback, useState } from "react";
import { boardInUrl } from "./boardUrl";
import { Api, isSignedOut } from "./api";
import { Failed, Loading } from "./EmptyState";
import { Login } from "./Login";
import { Workspace } from "./Workspace";

function retry(failures: number, error: Error): boolean {
  // A request that the service rejected will be rejected again; one without a response may succeed.
  return failures < 2 && (!(error instanceof ProblemError) || error.status === 0 || error.status >= 500);
}

export function App() {
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: { retry, staleTime: Infinity, networkMode: "always" } } }));
  const [api] = useState(() => new Api());
  return (
    <QueryClientProvider client={queries}>
      <Session api={api} />
    </QueryClientProvider>
  );
}

/** Shows the login to users who are not signed in, and a board to everybody else. */
function Session({ api }: { readonly api: Api }) {
  const queries = useQueryClient();
  const [expired, setExpired] = useState(false);
  const start = useQuery({ queryKey: ["start"], queryFn: () => api.start(boardInUrl()), refetchOnWindowFocus: false, refetchOnReconnect: false, gcTime: Infinity });
  const enter = useCallback(() => {
    setExpired(false);
    return queries.resetQueries({ queryKey: ["start"] });
  }, [queries]);
  const expire = useCallback(() => {
    setExpired(true);
    void queries.resetQueries({ queryKey: ["start"] });
  }, [queries]);
  const leave = useCallback(() => {
    void api.signOut().finally(() => enter());
  }, [api, enter]);

  if (start.isPending) return <Loading />;
  if (start.isError && isSignedOut(start.error)) return <Login api={api} expired={expired} onEnter={enter} />;
  if (start.isError) {
    return (
      <div className="flex min-h-dvh">
        <Failed error={start.error} onRetry={() => void start.refetch()} />
      </div>
    );
  }
  return <Workspace key={start.dataUpdatedAt} api={api} start={start.data} onLeave={leave} onExpire={expire} />;
}
