import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { ApiError, createApi, type ApiOptions } from "./api/client";
import { CardContextProvider } from "./api/context";
import { Card } from "./Card";
import { isAdminRequired } from "./ui/errors";

export interface SalesforceIntegrationProps extends ApiOptions {
  /**
   * Whether the user may connect, disconnect, retry and change settings. The API enforces this; the prop only stops the
   * card from offering actions that would be refused. If omitted, the card finds out from the first refusal.
   */
  isAdmin?: boolean;
}

/**
 * The Salesforce card for one workspace: connects it, shows what happened to its calls, and explains how to fix the ones
 * that failed. It needs its stylesheet (`@ringlog/salesforce/style.css`) and adds no global styles.
 */
export function SalesforceIntegration({ apiUrl, getToken, isAdmin }: SalesforceIntegrationProps) {
  const [isAdminRefused, setAdminRefused] = useState(false);
  const [client] = useState(() =>
    newQueryClient((error) => {
      if (isAdminRequired(error)) setAdminRefused(true);
    }),
  );
  // Callers usually pass a new `getToken` function on every render; that must not create a new client.
  const latestGetToken = useRef(getToken);
  useEffect(() => {
    latestGetToken.current = getToken;
  }, [getToken]);
  const context = useMemo(
    () => ({
      // eslint-disable-next-line react-hooks/refs -- read when a request is made, never during render
      api: createApi({ apiUrl, getToken: () => latestGetToken.current() }),
      // On a server there is no `location`, but then `apiUrl` is set.
      apiOrigin: apiUrl ? new URL(apiUrl).origin : globalThis.location.origin,
      isAdmin: isAdminRefused ? false : isAdmin,
    }),
    [apiUrl, isAdmin, isAdminRefused],
  );
  return (
    <QueryClientProvider client={client}>
      <CardContextProvider value={context}>
        <Card />
      </CardContextProvider>
    </QueryClientProvider>
  );
}

/** The card's own query client; it shares nothing with the host application's. */
function newQueryClient(onError: (error: unknown) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        // A refused request would be refused again.
        retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || isTransient(error)),
      },
    },
  });
}

function isTransient({ status, code }: ApiError): boolean {
  return code !== "too_many_calls" && (status === 0 || status === 429 || status >= 500);
}
